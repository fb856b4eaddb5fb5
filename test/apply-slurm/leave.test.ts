import { readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { noLab, plannedGroundsOfLab } from './ground.ts'
import type { Running } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']

describe.skipIf(noLab('Leaving on Slurm'))('the driver leaves and comes back', () => {
  const groundOf = plannedGroundsOfLab()

  const killed = async ({ child, ended }: Running): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }

  test('Ctrl-C leaves the jobs running; the same command follows them to the end', async () => {
    const ground = await groundOf('ctrl-c')
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await ground.lab.until(
      'workers run',
      async () => (await ground.stageFiles(/copy\/work\/.*claim$/)).length > 0,
    )
    ground.interrupt(running)
    expect(await running.ended).toBe(4)
    expect(running.output()).toContain(
      'goes on. The same command comes back to it; `squeue --me` shows its jobs.',
    )
    expect((await ground.queue()).length).toBeGreaterThan(0)
    const back = ground.begin(apply, gate.env)
    await ground.lab.until('it follows', () => back.output().includes('is still under way; following it.'))
    await gate.open()
    expect(await back.ended).toBe(0)
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('Ctrl-C while the controller is frozen does not wait for it', async () => {
    const ground = await groundOf('frozen')
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await ground.lab.until(
      'workers run',
      async () => (await ground.stageFiles(/copy\/work\/.*claim$/)).length > 0,
    )
    ground.lab.ctld.freeze()
    try {
      ground.interrupt(running)
      expect(await running.ended).toBe(4)
    } finally {
      ground.lab.ctld.thaw()
    }
    await gate.open()
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('--detach hands over and leaves at once; a second driver is kept out while one is at work', async () => {
    const ground = await groundOf('detach')
    const gate = await ground.gate()
    const left = await ground.soxplan([...apply, '--detach'], gate.env)
    expect(left.exitCode).toBe(4)
    const back = ground.begin(apply, gate.env)
    await ground.lab.until('it follows', () => back.output().includes('following it'))
    const second = await ground.soxplan(apply, gate.env)
    expect(second.exitCode).toBe(1)
    expect(second.stderr).toContain('SX601')
    await gate.open()
    expect(await back.ended).toBe(0)
  })

  test('killed after the release: the next apply follows', async () => {
    const ground = await groundOf('killed-late')
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await ground.lab.until(
      'workers run',
      async () => (await ground.stageFiles(/copy\/work\/.*claim$/)).length > 0,
    )
    await killed(running)
    await gate.open()
    const back = await ground.soxplan(apply, gate.env)
    expect(back).toMatchObject({ exitCode: 0 })
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('killed before the release: the next apply ends what is held and starts anew', async () => {
    const ground = await groundOf('killed-early')
    const env = await ground.sbatchOnce(2, 'kill -9 $PPID; exit 1')
    const running = ground.begin(apply, env)
    await running.ended
    expect(await ground.queue()).toEqual([expect.stringMatching(/^sox-.*-data\.copy PENDING$/)])
    const next = await ground.apply()
    expect(next).toMatchObject({ exitCode: 0 })
    expect(await ground.queue()).toEqual([])
    expect(await ground.runs()).toHaveLength(2)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('killed between the answer of sbatch and its record: the job is found by its name', async () => {
    const ground = await groundOf('killed-between')
    const env = await ground.sbatchOnce(1, 'sbatch "$@" >/dev/null; kill -9 $PPID; exit 1')
    const running = ground.begin(apply, env)
    await running.ended
    expect((await ground.events()).map(({ kind }) => kind)).toEqual(['run', 'intent'])
    expect(await ground.queue()).toHaveLength(1)
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await ground.queue()).toEqual([])
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('Ctrl-C while stages are handed over takes all back, the one under way too', async () => {
    const ground = await groundOf('ctrl-c-early')
    const env = await ground.sbatchOnce(2, `touch '${ground.in('now')}'; sleep 1`)
    const running = ground.begin(apply, env)
    await ground.lab.until('the second is under way', async () => (await ground.stageFiles(/./)).length > 0)
    await ground.lab.until(
      'the second is under way',
      async () => (await ground.events()).filter(({ kind }) => kind === 'intent').length === 2,
    )
    ground.interrupt(running)
    expect(await running.ended).toBe(130)
    expect(running.output()).toContain('What had been handed over was taken back; nothing of it has run.')
    expect(await ground.queue()).toEqual([])
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
  })

  test('all jobs cancelled by hand: the report says so, and the next apply does only what has no proof', async () => {
    const ground = await groundOf('cancelled')
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await ground.lab.until(
      'workers run',
      async () => (await ground.stageFiles(/copy\/work\/.*claim$/)).length > 0,
    )
    await ground.lab.scancel('--me')
    expect(await running.ended).toBe(1)
    expect(running.output()).toContain('its workers are gone before all was accounted for')
    expect(running.output()).toContain('CANCELLED')
    await gate.open()
    const again = await ground.soxplan(apply, gate.env)
    expect(again).toMatchObject({ exitCode: 0 })
    expect(again.stderr).toContain('is unfinished; going on with what has no proof yet')
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('killed and all jobs gone behind a finished copy: only the verify stage is handed over again', async () => {
    const ground = await groundOf('half')
    const gate = await ground.gate()
    const held = await ground.sbatchOnce(2, 'sbatch --begin=now+1hour "$@"; exit')
    const running = ground.begin(apply, { ...held, PATH: `${ground.in('bin')}:${held['PATH'] ?? ''}` })
    await gate.open()
    await ground.lab.until('the copy is over', () =>
      running.output().includes('data.copy: 2.1 MiB of 2.1 MiB, 132 of 132 entries copied'),
    )
    await killed(running)
    await ground.lab.scancel('--me')
    const sbatch = await ground.lab.shim('sbatch', {})
    const again = await ground.soxplan(apply, { ...ground.env, PATH: sbatch.env['PATH'] })
    expect(again).toMatchObject({ exitCode: 0 })
    expect(again.stderr).toMatch(
      /^0 of (\d+) shards proven, 2\.1 MiB in \1 shards left, 2\.1 MiB of it only to verify\.$/m,
    )
    expect(
      (await sbatch.calls()).map((args) =>
        args
          .find((arg) => arg.startsWith('--job-name='))
          ?.split('-')
          .at(-1),
      ),
    ).toEqual(['data.verify'])
    await sbatch.remove()
    await rm(ground.in('src'), { recursive: true })
  })

  test('an edited plan does not start beside the jobs of the old one', async () => {
    const ground = await groundOf('edited')
    const gate = await ground.gate()
    const left = await ground.soxplan([...apply, '--detach'], gate.env)
    expect(left.exitCode).toBe(4)
    await ground.plan({ nodes: 2, transfers: { data: {} } })
    const second = await ground.soxplan(apply, gate.env)
    expect(second.exitCode).toBe(1)
    expect(second.stderr).toContain('SX506')
    const asNew = await ground.soxplan([...apply, '--new'], gate.env)
    expect(asNew.exitCode).toBe(1)
    expect(asNew.stderr).toContain('SX506')
    await gate.open()
    await ground.lab.until('the queue is empty', async () => (await ground.queue()).length === 0)
    expect(await ground.soxplan(apply, gate.env)).toMatchObject({ exitCode: 0 })
  })

  test('a job waits for a transfer of a run that was left, and starts when all of it is there', async () => {
    const ground = await groundOf('behind')
    await ground.plan({ transfers: { data: {}, more: { after: ['data'], to: 'more' } } })
    const gate = await ground.gate()
    const left = await ground.soxplan([...apply, '--detach'], gate.env)
    expect(left.exitCode).toBe(4)
    const [run] = (await ground.newestRun()).split('/').slice(-1)
    const tickets = await ground.tickets()
    expect(left.stderr.trimEnd().split('\n').at(-1)).toBe(
      `What needs all of it: sbatch --dependency=afterok:${tickets['more.verify'] ?? ''}_0 … ` +
        `What needs one transfer: sbatch --dependency=afterok:$(soxplan job ${run ?? ''} TRANSFER) …`,
    )
    const job = await ground.soxplan(['job', run ?? '', 'data'])
    expect(job).toMatchObject({ exitCode: 0, stdout: `${tickets['data.verify'] ?? ''}_0\n`, stderr: '' })
    const script = ground.in('train.sh')
    await writeFile(
      script,
      `#!/bin/bash\nfind '${ground.in('data')}' -type f -printf x >'${ground.in('seen')}'\n`,
    )
    const train = await ground.lab.sbatch(
      `--dependency=afterok:${job.stdout.trim()}`,
      `--output=${ground.in('train.log')}`,
      script,
    )
    expect(await ground.lab.jobState(train)).toContain('PENDING')
    await gate.open()
    await ground.lab.untilJob(train, ['COMPLETED'])
    expect(await readFile(ground.in('seen'), 'utf8')).toBe('x'.repeat(124))
    expect(await ground.soxplan(['resume', run ?? '', '--yes'])).toMatchObject({ exitCode: 0 })
    expect(await ground.soxplan(['job', run ?? '', 'data'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'data is delivered and proven: there is nothing to wait for.\n',
    })
  })

  test('no job is named where nothing will deliver the transfer', async () => {
    const ground = await groundOf('nothing-behind')
    const gate = await ground.gate()
    expect((await ground.soxplan([...apply, '--detach'], gate.env)).exitCode).toBe(4)
    const [run = ''] = (await ground.newestRun()).split('/').slice(-1)
    expect(await ground.soxplan(['cancel', run, '--yes'])).toMatchObject({ exitCode: 0 })
    const job = await ground.soxplan(['job', run, 'data'])
    expect(job).toMatchObject({ exitCode: 1, stdout: '' })
    expect(job.stderr).toContain(`error SX613: Nothing in the queue will deliver data of run ${run}\n`)
    expect(job.stderr).toContain(`\`soxplan status ${run}\` says what became of it`)
    const unknown = await ground.soxplan(['job', run, 'date'])
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' })
    expect(unknown.stderr).toContain(`error SX612: Run ${run} has no transfer date\n`)
  })
})
