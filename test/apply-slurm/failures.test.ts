import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../lab/available.ts'
import { startLab } from '../lab/lab.ts'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { Ground, groundsOfLab, noLab } from './ground.ts'

describe.skipIf(noLab('Failure on Slurm'))('what goes wrong on Slurm', () => {
  // A frozen controller is noticed after MessageTimeout.
  const groundOf = groundsOfLab({ settings: { MessageTimeout: '3' } })

  test('a vanished file is named; its verify runs, what comes after does not, and the queue is empty', async () => {
    const ground = groundOf('vanished')
    await ground.tree('src', { a: 'a', b: 'b', 'c\nd': 'odd' })
    await ground.plan({
      transfers: {
        data: {},
        apart: { from: 'src', to: 'apart' },
        behind: { from: 'src', to: 'behind', after: ['data'] },
      },
    })
    const gate = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], gate.env)
    await ground.lab.until('it is released', () => running.output().includes('data.copy:'))
    await rm(ground.in('src', 'c\nd'))
    await gate.open()
    expect(await running.ended).toBe(1)
    const said = running.output()
    expect(said).toContain('was removed from the source after the listing')
    expect(said).toContain('c\\nd')
    expect(said).toContain('behind.copy: not started, because something before it failed')
    expect(await ground.verdicts('data.verify')).toEqual({ '00001': ['done'] })
    expect(await ground.verdicts('behind.copy')).toEqual({})
    expect(await ground.queue()).toEqual([])
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    const outcomes = (await ground.events()).flatMap((event) =>
      event.kind === 'ended' ? [`${event.step} ${event.outcome}`] : [],
    )
    expect(outcomes.sort()).toEqual([
      'apart.copy accounted',
      'apart.verify accounted',
      'behind.copy blocked',
      'behind.verify blocked',
      'data.copy accounted',
      'data.verify accounted',
    ])
    // Once the cause is gone, the same command does the rest.
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('behind'))).toEqual([])
  })

  test('a stage that Slurm would refuse is found before anything is listed', async () => {
    const ground = groundOf('refused')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: { slurm: { verify: { partition: 'nowhere' } } } } })
    for (const answer of [await ground.apply(), await ground.soxplan(['plan', 'plan.yaml'])])
      expect(answer).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: `error SX510: data.verify: Slurm does not know this partition: nowhere
  Write one of those that \`sinfo --summarize\` lists under \`slurm: partition\`.
`,
      })
    expect(await ground.runs()).toEqual([])
  })

  test('a time that no partition allows is refused, and the preview says what else Slurm makes of the jobs', async () => {
    const ground = groundOf('fits')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ slurm: { partition: 'short', time: '1:00:00' }, transfers: { data: {} } })
    const long = await ground.apply()
    expect(long.stderr)
      .toBe(`error SX514: data.copy, data.verify: The time limit is longer than the partition allows: 01:00:00 (short 00:10:00)
  The job would wait for ever.
  Lower \`time\` under \`slurm:\`; a transfer may take longer than one job, its workers requeue themselves.
`)
    expect(long.exitCode).toBe(1)
    await ground.plan({ slurm: { partition: 'short', time: '5:00' }, transfers: { data: {} } })
    expect((await ground.soxplan(['plan', 'plan.yaml'])).stdout).toMatch(
      /\n {2}data\.copy: 1 shard, 1 worker\n {6}--time=00:05:00 --partition=short\n {6}could start 20\d\d-\d\d-\d\d \d\d:\d\d UTC, as the queue is now\n {2}data\.verify: 1 shard, 1 worker, after data\.copy\n {6}--time=00:05:00 --partition=short\n\n/,
    )
    for (const node of ['n1', 'n2'] as const) await ground.lab.drain(node)
    try {
      const away = await ground.soxplan(['plan', 'plan.yaml'])
      expect(away.stdout).toContain(
        'Warning: data.copy, data.verify: no node of short takes jobs now. They wait in the queue until some do; `sinfo --list-reasons` says why none does.\n',
      )
      expect(away.stdout).not.toContain('could start')
      expect(away.exitCode).toBe(0)
    } finally {
      for (const node of ['n1', 'n2'] as const) await ground.lab.resume(node)
    }
  })

  test('a stage that is refused in the middle takes back what was handed over before it', async () => {
    const ground = groundOf('midway')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {} } })
    const sbatch = await ground.lab.shim('sbatch', {})
    await writeFile(
      join(ground.lab.folder, 'shims', 'sbatch'),
      `#!/bin/bash\n[[ $* == *data.verify* ]] && set -- --partition=nowhere "$@"\nexec ${findProgram('sbatch')} "$@"\n`,
    )
    const env = { ...ground.env, PATH: sbatch.env['PATH'] }
    const answer = await ground.soxplan(['apply', 'plan.yaml', '--yes'], env)
    await sbatch.remove()
    expect(answer.exitCode).toBe(1)
    expect(answer.stderr).toContain(`error SX510: Slurm does not know this partition
  sbatch said: sbatch: error: invalid partition specified: nowhere
  Write one of those that \`sinfo --summarize\` lists under \`slurm: partition\`.
`)
    expect(answer.stderr).toContain('What had been handed over was taken back; nothing of it has run.')
    expect(await ground.queue()).toEqual([])
    expect(await ground.stageFiles(/claim|workers\/./)).toEqual([])
    expect((await ground.events()).map(({ kind }) => kind)).toEqual([
      'run',
      'intent',
      'submitted',
      'intent',
      'withdrawn',
    ])
    await ground.plan({ transfers: { data: {} } })
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
  })

  test('a refusal in the middle that Slurm gives no reason for', async () => {
    const ground = groundOf('shrug')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {} } })
    const sbatch = await ground.lab.shim('sbatch', {
      exitCode: 1,
      stderr: 'sbatch: error: the site says no\n',
    })
    // The first call is let through, so that there is something to take back.
    await writeFile(
      join(ground.lab.folder, 'shims', 'sbatch'),
      `#!/bin/bash\n[[ $1 == --test-only ]] && exec ${findProgram('sbatch')} "$@"\n[[ -e ${ground.lab.folder}/once ]] && { echo 'sbatch: error: the site says no' >&2; exit 1; }\ntouch ${ground.lab.folder}/once\nexec ${findProgram('sbatch')} "$@"\n`,
    )
    const answer = await ground.soxplan(['apply', 'plan.yaml', '--yes'], {
      ...ground.env,
      PATH: sbatch.env['PATH'],
    })
    await sbatch.remove()
    expect(answer.exitCode).toBe(1)
    expect(answer.stderr).toContain(
      'error SX500: sbatch was refused\n  sbatch said: sbatch: error: the site says no',
    )
    expect(await ground.queue()).toEqual([])
  })

  test('a controller that is down at the start is said at once, and nothing is made', async () => {
    const ground = groundOf('down')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {} } })
    await ground.lab.ctld.stop()
    try {
      const answer = await ground.apply()
      expect(answer.exitCode).toBe(1)
      expect(answer.stderr).toContain('error SX501: Slurm is installed, but its controller does not answer')
      expect(answer.stderr).toContain(
        'Try again when `scontrol ping` says UP, or use --executor local on purpose.',
      )
    } finally {
      await ground.lab.ctld.start()
    }
    expect(await ground.runs()).toEqual([])
    await ground.lab.until('nodes are back', async () => (await ground.lab.nodeState('n1')) === 'idle')
  })

  test('a controller that freezes in the middle is waited for, while the workers go on', async () => {
    const ground = groundOf('frozen')
    await ground.tree('src')
    await ground.plan({ transfers: { data: {} } })
    const gate = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], gate.env)
    await ground.lab.until(
      'workers run',
      async () => (await ground.stageFiles(/^data\.copy\/work\/.*claim$/)).length > 0,
    )
    ground.lab.ctld.freeze()
    await gate.open()
    await ground.lab.until('it says so', () => running.output().includes('the queue does not answer'))
    ground.lab.ctld.thaw()
    expect(await running.ended).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect(await ground.queue()).toEqual([])
  })

  test('a controller that freezes while stages are handed over: each is in the queue once', async () => {
    const ground = groundOf('handing')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {}, more: { from: 'src', to: 'more', after: ['data'] } } })
    const sbatch = await ground.lab.shim('sbatch', {})
    await writeFile(
      join(ground.lab.folder, 'shims', 'sbatch'),
      `#!/bin/bash\necho call >>${ground.lab.folder}/handed\n[[ $(wc -l <${ground.lab.folder}/handed) == 2 ]] && kill -STOP ${ground.lab.ctld.pid}\nexec ${findProgram('sbatch')} "$@"\n`,
    )
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], { ...ground.env, PATH: sbatch.env['PATH'] })
    await ground.lab.until('it says so', () =>
      running.output().includes('The Slurm controller does not answer; waiting for it.'),
    )
    ground.lab.ctld.thaw()
    expect(await running.ended).toBe(0)
    await sbatch.remove()
    const seen = await ground.lab.squeue('--noheader', '--states=all', '--format=%F %j')
    const run = (await ground.newestRun()).split('/').at(-1) ?? ''
    const ids = new Set(seen.split('\n').filter((row) => row.includes(run)))
    expect(ids.size).toBe(4)
    expect(await ground.queue()).toEqual([])
  })

  test('a squeue that fails for a while decides nothing', async () => {
    const ground = groundOf('blind')
    await ground.tree('src')
    await ground.plan({ transfers: { data: {} } })
    const gate = await ground.gate()
    const squeue = await ground.lab.shim('squeue', {})
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], {
      ...gate.env,
      PATH: `${ground.in('bin')}:${squeue.env['PATH']}`,
    })
    await ground.lab.until(
      'workers run',
      async () => (await ground.stageFiles(/^data\.copy\/work\/.*claim$/)).length > 0,
    )
    await ground.lab.shim('squeue', {
      exitCode: 1,
      stderr: 'slurm_load_jobs error: Unexpected message received\n',
    })
    await ground.lab.until('it says so', () => running.output().includes('the queue does not answer'))
    await squeue.remove()
    await gate.open()
    expect(await running.ended).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })
})

describe.skipIf(noLab('Accounting', { accounting: true }))('a Slurm with accounting', () => {
  test('delivers just the same, its database gone or not', async () => {
    await using lab = await startLab({ accounting: true })
    await using temp = await tempFolder()
    const ground = new Ground(lab, join(temp.path, 'booked'))
    await ground.tree('src')
    await ground.plan({ transfers: { data: {} } })
    const kept = '  ok  accounting is kept; soxplan does without\n'
    expect((await ground.soxplan(['doctor', 'plan.yaml'])).stdout).toContain(kept)
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    // slurmdbd hears of the end of a job a while after the controller does.
    await lab.until('the database has it all', async () =>
      /^(COMPLETED\n?)+$/.test(
        await lab.sacct('--noheader', '--parsable2', '--allocations', '--format=State'),
      ),
    )
    await lab.dbd.kill()
    const asked = await ground.soxplan(['doctor', 'plan.yaml'])
    expect(asked.stdout).toContain(`${kept}  ok  partition main: 4 of 4 nodes up`)
    expect(asked.stdout).toContain('  ok  data.copy, data.verify: Slurm takes jobs with --time=1-00:00:00\n')
    expect(asked.exitCode).toBe(0)
    await rm(ground.in('data'), { recursive: true })
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })
})
