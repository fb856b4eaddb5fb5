import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { gated, isAlive, toolPids } from './gated.ts'
import { until, verdict, verdicts, work, Worker } from './worker.ts'

describe('signals', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 143],
    ['SIGUSR2', 75],
  ] as const)('%s releases the shard and ends %i, with nothing left behind', async (signal, code) => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 2)
    const worker = new Worker(stages.copy, { env })
    await until(async () => (await toolPids(temp.path)).length === 1)
    const [tool = 0] = await toolPids(temp.path)
    process.kill(worker.pid, signal)
    expect(await worker.ended).toBe(code)
    expect(isAlive(tool)).toBe(false)
    expect(await verdict(stages.copy, '00000', 1)).toMatchObject({ result: 'released', exit: String(code) })
    await writeFile(join(temp.path, 'gate'), '')
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['released', 'done'])
  })

  test('a tool that ignores TERM, and what it left in the background, are killed', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(
      temp.path,
      1,
      `trap '' TERM; sleep 1000 & echo $! >>'${temp.path}/pids'`,
    )
    const worker = new Worker(stages.copy, { env })
    await until(async () => (await toolPids(temp.path)).length === 2)
    process.kill(worker.pid, 'SIGTERM')
    expect(await worker.ended).toBe(143)
    await until(async () => (await toolPids(temp.path)).every((pid) => !isAlive(pid)))
  })

  test('released attempts cost no try', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    for (let life = 1; life <= 4; life++) {
      await rm(join(temp.path, 'pids'), { force: true })
      const worker = new Worker(stages.copy, { env })
      await until(async () => (await toolPids(temp.path)).length === 1)
      process.kill(worker.pid, 'SIGTERM')
      await worker.ended
    }
    await writeFile(join(temp.path, 'gate'), '')
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual([
      'released',
      'released',
      'released',
      'released',
      'done',
    ])
  })

  test('its temporary files on the node are gone afterwards, however it ended', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    const node = join(temp.path, 'node')
    await mkdir(node)
    const killed = new Worker(stages.copy, { env: { ...env, TMPDIR: node } })
    await until(async () => (await toolPids(temp.path)).length === 1)
    expect(await readdir(node)).toHaveLength(1)
    process.kill(killed.pid, 'SIGKILL')
    await until(async () => (await readdir(node)).length === 0)
    await writeFile(join(temp.path, 'gate'), '')
    await work(stages.copy, { env: { ...env, TMPDIR: node } })
    expect(await readdir(node)).toEqual([])
  })
})

describe('Slurm', () => {
  const job = {
    SLURM_JOB_ID: '80',
    SLURM_ARRAY_JOB_ID: '77',
    SLURM_ARRAY_TASK_ID: '0',
    SLURM_ARRAY_TASK_MAX: '3',
  }

  test('the closer cancels siblings that never started, and never task 0', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 2)
    const calls = join(temp.path, 'calls')
    await writeFile(join(temp.path, 'gate'), '')
    const env = await puppet(join(temp.path, 'bin'), 'scancel', `echo "$*" >>'${calls}'`)
    expect(await work(stages.copy, { env: { ...env, ...job } })).toMatchObject({ code: 0 })
    expect(await readFile(calls, 'utf8')).toBe('--quiet -t PENDING 77_[1-3]\n')
  })

  test('near the time limit it asks for another turn, after its shard is released', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    const script = join(stages.copy, 'script.sh')
    await writeFile(script, (await readFile(script, 'utf8')).replace(/^requeue=0/m, 'requeue=1'))
    const calls = join(temp.path, 'calls')
    await puppet(
      join(temp.path, 'bin'),
      'scontrol',
      `cat '${stages.copy}/work/00000/1.end' | sed -n 4p >>'${calls}'; echo "$*" >>'${calls}'; kill -TERM "$(ps -o ppid= -p $PPID)"`,
    )
    const worker = new Worker(stages.copy, { env: { ...env, ...job } })
    await until(async () => (await toolPids(temp.path)).length === 1)
    process.kill(worker.pid, 'SIGUSR2')
    expect(await worker.ended).toBe(75)
    expect(await readFile(calls, 'utf8')).toBe('result released\nrequeue 77_0\n')
  })

  test('a requeued worker takes back at once what its earlier life had claimed', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 1)
    await writeFile(join(stages.copy, 'work/00000/1.claim'), '2.0.node.1.1\n')
    const env = { ...process.env, SLURM_ARRAY_TASK_ID: '2', SLURM_RESTART_COUNT: '1' }
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['fenced', 'done'])
  })
})
