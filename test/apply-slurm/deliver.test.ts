import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { groundsOfLab, noLab } from './ground.ts'

describe.skipIf(noLab('Delivery on Slurm'))('apply on Slurm', () => {
  const groundOf = groundsOfLab()

  test('a skewed tree arrives over four nodes, released when every id is recorded, by one sbatch per stage', async () => {
    const ground = groundOf('four')
    await ground.tree('src')
    await ground.plan({
      slurm: { cpus: 64, memory: '1G', time: '0:30:00' },
      transfers: { data: {}, again: { tool: 'rclone', exclude: ['odd/**'], after: ['data'] } },
    })
    const [sbatch, squeue, scontrol] = [
      await ground.lab.shim('sbatch', {}),
      await ground.lab.shim('squeue', {}),
      await ground.lab.shim('scontrol', {}),
    ]
    const applied = await ground.soxplan(['apply', 'plan.yaml', '--yes'], {
      ...ground.env,
      PATH: sbatch.env['PATH'],
    })
    expect(applied.stderr).not.toContain('error')
    expect(applied).toMatchObject({ exitCode: 0 })
    expect(applied.stdout).toContain('delivered, verified by name, size and modification time')
    expect(await compareTrees(ground.in('src'), ground.in('data'), { mtimes: true })).toEqual([])
    expect(await compareTrees(ground.in('src', 'small'), ground.in('again', 'small'))).toEqual([])
    expect(await ground.queue()).toEqual([])

    const calls = await sbatch.calls()
    expect(calls).toHaveLength(4)
    const tickets = await ground.tickets()
    expect(calls.map((args) => args.filter((arg) => /^--(dependency|hold)/.test(arg)))).toEqual([
      ['--hold'],
      [`--dependency=afterok:${tickets['data.copy']}_0`],
      [`--dependency=afterok:${tickets['data.verify']}_0`],
      [`--dependency=afterok:${tickets['again.copy']}_0`],
    ])
    const kinds = (await ground.events()).map(({ kind }) => kind)
    const steps = ['data.copy', 'data.verify', 'again.copy', 'again.verify']
    expect(kinds).toEqual([
      'run',
      ...steps.flatMap(() => ['intent', 'submitted']),
      'released',
      ...steps.map(() => 'ended'),
      'finished',
    ])
    const run = (await ground.newestRun()).split('/').at(-1) ?? ''
    expect(calls.map((args) => args.find((arg) => arg.startsWith('--job-name=')))).toEqual(
      steps.map((step) => `--job-name=sox-${run}-${step}`),
    )
    for (const args of calls) {
      expect(args.at(-1)).toMatch(/\/script\.sh$/)
      expect(args.slice(0, -1).filter((arg) => !arg.startsWith('--'))).toEqual([])
    }
    expect((await scontrol.calls()).filter(([verb]) => verb === 'release')).toEqual([
      ['release', tickets['data.copy']],
    ])
    // One question for the whole run at each look, and one at the start that asks whether Slurm is there.
    const asked = (await squeue.calls()).filter((args) => args.includes('--me'))
    expect(new Set(asked.map((args) => args.join(' ')))).toEqual(
      new Set(['--noheader --me --states=all --format=%F|%K|%T|%r|%j']),
    )
    await Promise.all([sbatch.remove(), squeue.remove(), scontrol.remove()])

    // 64 CPUs fill a node, n4 takes two: four workers at once, and each node has a log that says what happened.
    const logs = await ground.stageFiles(/^data\.copy\/logs\/.*_\d\.log$/)
    expect(logs).toHaveLength(4)
    const closer = await readFile(join(await ground.newestRun(), 'stages', logs[0] ?? ''), 'utf8')
    expect(closer).toContain('worker 0: data copy: 132 entries, 2200858 bytes are there; 0 failed; 0 of')
    const nodes = (await ground.stageFiles(/^data\.copy\/workers\/.*\d$/)).map((file) => file.split('.')[3])
    expect(new Set(nodes).size).toBeGreaterThan(1)
    const shards = Object.values(await ground.verdicts('data.copy'))
    expect(shards.length).toBeGreaterThan(4)
    expect(shards.every((results) => results.join() === 'done')).toBe(true)

    const second = await ground.apply()
    expect(second).toMatchObject({ exitCode: 0 })
    expect(second.stdout).toContain('Nothing is left to do.')
    expect(await ground.runs()).toHaveLength(1)
  })

  test('what the preview shows is what sbatch is told, whatever else is set in the environment', async () => {
    const ground = groundOf('told')
    await ground.tree('src', { a: 'a', b: 'b' })
    await ground.plan({
      slurm: {
        cpus: 2,
        memory: '1G',
        time: '0:09:00',
        nice: 3,
        partition: 'short',
        requeue: false,
        extra: ['--comment=two words, one comma'],
      },
      environment: { pass: ['SOX_PASSED'] },
      transfers: { data: { exclusive: true, slurm: { verify: { cpus: 1, time: '0:05:00' } } } },
    })
    const sbatch = await ground.lab.shim('sbatch', {})
    const env = {
      ...ground.env,
      PATH: sbatch.env['PATH'],
      SOX_PASSED: 'a,b=c d',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      SBATCH_ARRAY_INX: '7-9',
      SBATCH_JOB_NAME: 'other',
      SBATCH_PARTITION: 'nowhere',
      SBATCH_EXPORT: 'NONE',
      SBATCH_TIMELIMIT: '1',
      SQUEUE_FORMAT: '%i',
      SQUEUE_STATES: 'PD',
      SQUEUE_NAMES: 'other',
      SLURM_TIME_FORMAT: 'relative',
      SLURM_CLUSTERS: 'elsewhere',
      SLURM_JOB_ID: '1',
      SLURM_ARRAY_TASK_ID: '5',
    }
    const shown = await ground.soxplan(['plan', 'plan.yaml', '--json'], env)
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' })
    const { steps } = JSON.parse(shown.stdout) as { steps: { id: string; resources: string[] }[] }
    expect(steps[0]?.resources).toEqual([
      '--time=00:09:00',
      '--partition=short',
      '--nice=3',
      '--cpus-per-task=2',
      '--mem=1G',
      '--exclusive',
      '--comment=two words, one comma',
    ])
    const applied = await ground.soxplan(['apply', 'plan.yaml', '--yes'], env)
    expect(applied).toMatchObject({ exitCode: 0 })
    const calls = await sbatch.calls()
    await sbatch.remove()
    const own =
      /^--(parsable|job-name|array|hold|dependency|kill-on|requeue|no-requeue|open-mode|chdir|output|error|signal|export|nodes|ntasks)\b/
    expect(calls.map((args) => args.slice(0, -1).filter((arg) => !own.test(arg)))).toEqual(
      steps.map(({ resources }) => resources),
    )
    expect(calls[0]).toContain('--no-requeue')
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a job gets what the plan hands on, and no secret', async () => {
    const ground = groundOf('handed')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ environment: { pass: ['SOX_PASSED'] }, transfers: { data: {} } })
    const gate = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], {
      ...gate.env,
      SOX_PASSED: 'a,b=c d',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
    })
    const worker = async (): Promise<string> => {
      const [token = ''] = await ground.stageFiles(/^data\.copy\/workers\/0[^/]*\d$/)
      const pid = token.split('/').at(-1)?.split('.')[3] ?? ''
      return pid === '' ? '' : readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    }
    let seen = ''
    await ground.lab.until('the worker runs', async () => (seen = await worker()) !== '')
    const [id = ''] = Object.values(await ground.tickets())
    expect(await ground.lab.scontrol('show', 'job', id)).not.toContain('hunter2')
    expect(seen).toContain('SOX_PASSED=a,b=c d\0')
    expect(seen).not.toContain('hunter2')
    await gate.open()
    expect(await running.ended).toBe(0)
  })

  test.each([
    ['spaces and quotes', `a b's "c" $(x)`],
    ["Slurm's own patterns", 'p%A%%j'],
    ['a backslash', 'b\\s%a'],
    ['a line break', 'new\nline'],
  ])('a run folder whose path has %s', async (_, name) => {
    const ground = groundOf(name)
    await ground.tree('src', { a: 'a', 'b/c': 'c' })
    await ground.plan({ transfers: { data: {} } })
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    const logs = join(await ground.newestRun(), 'stages', 'data.copy', 'logs')
    const [log = 'none'] = await readdir(logs)
    expect(await readFile(join(logs, log), 'utf8')).toContain('worker 0: data copy: 3 entries, 2 bytes')
  })

  test('no terminal and no --yes is a usage error, and nothing is handed over', async () => {
    const ground = groundOf('asks')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {} } })
    const answer = await ground.soxplan(['apply', 'plan.yaml'])
    expect(answer.exitCode).toBe(2)
    expect(answer.stderr).toContain('There is no terminal to ask on')
    expect(await ground.runs()).toEqual([])
  })
})
