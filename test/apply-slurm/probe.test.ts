/** A node is asked before anything is handed over: what it lacks ends the apply, and nothing has moved. */

import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { groundsOfLab, noLab, type Ground } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']
const ASKING = 'Asking a node whether it has what the plan takes (--no-probe leaves that out) …\n'

describe.skipIf(noLab('The probe'))('before anything is handed over', () => {
  const groundOf = groundsOfLab()

  async function made(name: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Ground> {
    const ground = groundOf(name)
    await ground.tree('src', { a: 'a' })
    await ground.plan({ slurm: { time: '10:00' }, ...fields, transfers: { data: { tool: 'rsync' } } })
    return ground
  }

  function probing({ env }: Ground): NodeJS.ProcessEnv {
    return { ...env, SOXPLAN_NO_PROBE: undefined }
  }

  async function expectNothingLeft(ground: Ground): Promise<void> {
    await ground.lab.until('the queue is empty', async () => (await ground.queue()).length === 0)
    expect(await readdir(ground.in('.soxplan', 'runs'))).toEqual([])
    expect((await readdir(ground.in('.soxplan'))).sort()).toEqual(['.gitignore', 'runs'])
  }

  test('a node that has it all lets the run go, and nothing of the question stays', async () => {
    const ground = await made('well')
    const sbatch = await ground.lab.shim('sbatch', {})
    const env = { ...probing(ground), PATH: sbatch.env['PATH'] }
    const applied = await ground.soxplan(apply, env)
    expect(applied.stderr).toContain(ASKING)
    expect(applied.stderr).not.toMatch(/warning|error/)
    expect(applied.exitCode).toBe(0)
    const names = (await sbatch.calls()).map((args) => args.find((arg) => arg.startsWith('--job-name=')))
    await sbatch.remove()
    expect(names).toEqual([
      expect.stringMatching(/^--job-name=soxplan-doctor-\w+-any0$/),
      expect.stringMatching(/data\.copy$/),
      expect.stringMatching(/data\.verify$/),
    ])
    expect((await readdir(ground.in('.soxplan'))).sort()).toEqual(['.gitignore', 'runs'])
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a tool that is missing there', async () => {
    const ground = await made('tool')
    const env = await puppet(
      ground.in('bin'),
      'rsync',
      '[[ ${SLURMD_NODENAME-} ]] && exit 127\nPATH=${PATH#*:} exec rsync "$@"',
      probing(ground),
    )
    const refused = await ground.soxplan(apply, env)
    expect(refused.stderr).toMatch(/error SX\d{3}: n\d: .*rsync/)
    expect(refused.stderr).toContain('Nothing was moved.\n')
    expect(refused.exitCode).toBe(1)
    await expectNothingLeft(ground)
    const forced = await ground.soxplan([...apply, '--no-probe'], { ...env, SOXPLAN_NO_PROBE: undefined })
    expect(forced.stderr).not.toContain(ASKING)
    await ground.soxplan(['cancel', '--yes', (await ground.newestRun()).split('/').at(-1) ?? ''])
  })

  test('a state folder that it does not see', async () => {
    const ground = await made('state')
    // Nothing that a job writes gets where this machine looks for it.
    const env = await ground.sbatchOnce(
      1,
      `args=(); for arg; do [[ $arg == --output=* ]] && arg=--output=/nowhere/at/all; args+=("$arg"); done; set -- "\${args[@]}"`,
    )
    const refused = await ground.soxplan(apply, { ...env, SOXPLAN_NO_PROBE: undefined })
    expect(refused.stderr).toContain(
      `error SX713: the job on a node of main ended without an answer in the state folder ${ground.in('.soxplan')}\n`,
    )
    expect(refused.exitCode).toBe(1)
    await expectNothingLeft(ground)
  })

  test('a full cluster is not waited for long, and the run goes into the queue as it is', async () => {
    const ground = await made('full')
    const full = await ground.lab.sbatch('--array=0-3', '--exclusive', '--wrap=exec sleep 600')
    await ground.lab.untilJob(`${full}_3`, ['RUNNING'])
    const running = ground.begin([...apply, '--detach'], { ...probing(ground), SOXPLAN_PROBE_SECONDS: '4' })
    expect(await running.ended).toBe(4)
    expect(running.output()).toMatch(
      /warning SX712: a node of main was not asked: its job did not start within 4 s \(\w+\)\n/,
    )
    await ground.lab.scancel(full)
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
  })
})
