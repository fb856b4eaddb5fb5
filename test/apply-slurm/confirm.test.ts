import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { noLab, plannedGroundsOfLab } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']

describe.skipIf(noLab('Confirming on Slurm'))('before anything is released', () => {
  const groundOf = plannedGroundsOfLab({ settings: { MessageTimeout: '3' } })

  test('an sbatch that Slurm took twice: the second array is ended, and the run delivers', async () => {
    const ground = await groundOf('twice')
    const env = await ground.sbatchOnce(1, 'sbatch "$@" >/dev/null')
    expect(await ground.soxplan(apply, env)).toMatchObject({ exitCode: 0 })
    expect(await ground.queue()).toEqual([])
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a controller that crashes right after it took a job and forgets it: nothing runs, and the next apply does all', async () => {
    const ground = await groundOf('forgotten')
    const { ctld } = ground.lab
    // Seconds after the first submit it is on the controller's disk. What is on it then is all that a crash leaves.
    const state = join(ground.lab.folder, 'state')
    const env = await ground.sbatchOnce(
      2,
      `sleep 6; cp -a '${state}' '${state}.before'; sbatch "$@"; kill -9 ${ctld.pid ?? 0}; exit 0`,
    )
    const running = ground.begin(apply, env)
    await ground.lab.until('slurmctld is gone', () => !ctld.running)
    await rm(state, { recursive: true })
    await rename(`${state}.before`, state)
    await ctld.start()
    expect(await running.ended).toBe(1)
    expect(running.output()).toMatch(
      /error SX507: Slurm has lost 1 of 2 jobs that it had accepted: \d+ \(sox-\S+-data\.verify\)\n/,
    )
    expect(running.output()).toContain('What had been handed over was taken back; nothing of it has run.')
    expect(await ground.queue()).toEqual([])
    expect(await ground.soxplan(apply)).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a transfer waits for a job outside of the plan, and only for one that Slurm knows', async () => {
    const ground = await groundOf('outside')
    const gate = ground.in('go')
    const script = ground.in('outside.sh')
    await writeFile(script, `#!/bin/bash\nuntil [[ -e '${gate}' ]]; do sleep 0.1; done\n`)
    const log = `--output=${ground.in('outside.log')}`
    const job = await ground.lab.sbatch(log, script)
    const failed = await ground.lab.sbatch(log, '--wrap=exit 3')
    await ground.lab.untilJob(failed, ['FAILED'])
    const planAfter = (id: string): Promise<void> =>
      ground.plan({ transfers: { data: { after: [`afterok:${id}`] } } })
    for (const [id, told] of [
      ['987654', 'error SX517: Slurm does not know job 987654, which the plan waits for\n'],
      [failed, `error SX518: Job ${failed}, which the plan waits for, has ended FAILED\n`],
    ] as const) {
      await planAfter(id)
      for (const args of [apply, ['plan', 'plan.yaml']]) {
        const refused = await ground.soxplan(args)
        expect(refused.exitCode).toBe(1)
        expect(refused.stderr).toContain(told)
      }
      expect(await ground.runs()).toEqual([])
    }
    await planAfter(job)
    const here = await ground.soxplan([...apply, '--executor', 'local'])
    expect(here.stderr).toContain('error SX519: Workers on this machine cannot wait for Slurm jobs')
    const left = await ground.soxplan([...apply, '--detach'])
    expect(left.exitCode).toBe(4)
    expect(left.stdout).toContain(`  after      afterok:${job}\n`)
    expect(left.stdout).toContain(`the source is listed now, and not when job ${job} has ended`)
    const copy = (await ground.tickets())['data.copy'] ?? ''
    await ground.lab.until(
      'the copy waits',
      async () =>
        (await ground.lab.squeue('--noheader', `--jobs=${copy}`, '--format=%T %r')) === 'PENDING Dependency',
    )
    await writeFile(gate, '')
    await ground.lab.until('the queue is empty', async () => (await ground.queue()).length === 0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect(await ground.soxplan(apply)).toMatchObject({ exitCode: 0 })
  })
})
