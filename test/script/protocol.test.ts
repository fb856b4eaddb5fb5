import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { layStages, local, type Stages } from './stage.ts'
import { until, verdict, verdicts, work, Worker } from './worker.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0

/** A transfer of ten files, and an rclone that waits for a gate before it does its work, writing its pid. */
async function gated(
  folder: string,
  shards: number,
  before = '',
): Promise<{ stages: Stages; env: NodeJS.ProcessEnv }> {
  const tree = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`f${at}`, `content ${at}`]))
  await writeTree(join(folder, 'from'), tree)
  const ends = { from: local(join(folder, 'from')), to: local(join(folder, 'to')) }
  const stages = await layStages({ ...ends, state: folder, tool: 'rclone', shards })
  const env = await puppet(
    join(folder, 'bin'),
    'rclone',
    `[[ $1 == version ]] && { echo 'rclone v1.60.1'; exit; }
${before}
echo $$ >>'${folder}/pids'
while [[ ! -e '${folder}/gate' ]]; do sleep 0.05; done
exec /usr/bin/rclone "$@"`,
  )
  return { stages, env }
}

async function toolPids(folder: string): Promise<readonly number[]> {
  const text = await readFile(join(folder, 'pids'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map(Number)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The processes of a worker: bash, its guard, and the tool with whatever it started. */
async function family(pid: number): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const found = [pid]
  for (const one of found)
    found.push(...rows.filter(([, parent]) => parent === one).map(([child = 0]) => child))
  return found
}

describe('claims', () => {
  test('several workers share the shards, each shard has one verdict', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 10)
    const workers = [0, 1, 2].map((worker) => new Worker(stages.copy, { worker }))
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0, 0])
    for (const shard of stages.shards) expect(await verdicts(stages.copy, shard)).toEqual(['done'])
    expect(await compareTrees(join(temp.path, 'from'), join(temp.path, 'to'))).toEqual([])
    expect(
      (await readdir(join(stages.copy, 'workers'))).filter((name) => name.endsWith('.gone')),
    ).toHaveLength(3)
  })

  test('a worker killed with -9 loses its tool at once, and the closer takes over', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    const victim = new Worker(stages.copy, { env, worker: 1 })
    await until(async () => (await toolPids(temp.path)).length === 1)
    const [tool = 0] = await toolPids(temp.path)
    process.kill(victim.pid, 'SIGKILL')
    await until(() => !isAlive(tool))
    await writeFile(join(temp.path, 'gate'), '')
    const closer = await work(stages.copy, { env })
    expect(closer).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['fenced', 'done'])
    expect(closer.output).toContain('is silent')
  })

  test('a worker without a guard, killed too, is fenced when its lease is over', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    const victim = new Worker(stages.copy, { env, worker: 1 })
    await until(async () => (await toolPids(temp.path)).length === 1)
    for (const pid of await family(victim.pid)) process.kill(pid, 'SIGKILL')
    await writeFile(join(temp.path, 'gate'), '')
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['fenced', 'done'])
  })

  test('a guard that is killed is replaced, and the worker keeps its shard', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    const victim = new Worker(stages.copy, { env, worker: 1 })
    await until(async () => (await toolPids(temp.path)).length === 1)
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(victim.pid)])
    const [guard = 0] = stdout.trim().split(/\s+/).map(Number)
    process.kill(guard, 'SIGKILL')
    const [beat = ''] = await readdir(join(stages.copy, 'workers'))
    const before = await readFile(join(stages.copy, 'workers', beat), 'utf8')
    await until(async () => (await readFile(join(stages.copy, 'workers', beat), 'utf8')) > before)
    await writeFile(join(temp.path, 'gate'), '')
    expect(await victim.ended).toBe(0)
    expect(await verdicts(stages.copy, '00000')).toEqual(['done'])
  })

  test('a frozen worker is fenced; woken, it finds its shard lost and leaves it', async () => {
    await using temp = await tempFolder()
    const { stages, env } = await gated(temp.path, 1)
    const frozen = new Worker(stages.copy, { env, worker: 1 })
    await until(async () => (await toolPids(temp.path)).length === 1)
    const all = await family(frozen.pid)
    for (const pid of all) process.kill(pid, 'SIGSTOP')
    await writeFile(join(temp.path, 'gate'), '')
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    for (const pid of all) process.kill(pid, 'SIGCONT')
    expect(await frozen.ended).toBe(0)
    expect(frozen.output).toContain('lost to another worker')
    expect(await verdicts(stages.copy, '00000')).toEqual(['fenced', 'done'])
  })

  test('torn verdicts are no verdicts', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 6)
    const good = (shard: string): string =>
      `soxplan-end 1\nshard ${shard}\nattempt 1\nresult done\nexit 0\nfiles 1\nbytes 1\nfailed 0\nseconds 0\nby x\nwhen 1\nend ${shard}.1\n`
    const torn = ['', good('00001').slice(0, 60), good('00009'), '\0'.repeat(100), `${good('00004')}junk`]
    for (const [index, text] of torn.entries()) {
      const base = join(stages.copy, 'work', `0000${index}`)
      await writeFile(join(base, '1.claim'), 'x\n')
      await writeFile(join(base, '1.end'), text)
    }
    await writeFile(join(stages.copy, 'work/00005/1.claim'), 'x\n')
    await writeFile(join(stages.copy, 'work/00005/1.end'), good('00005'))
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    for (const shard of stages.shards.slice(0, 5)) {
      expect(await verdict(stages.copy, shard, 2)).toMatchObject({ result: 'done', attempt: '2' })
    }
    // A whole verdict is believed: the destination is looked at by the verify stage.
    expect(await readdir(join(stages.copy, 'work/00005'))).toEqual(['1.claim', '1.end'])
    expect(await work(stages.verify)).toMatchObject({ code: 1 })
  })

  test('a claim without an owner, from a full disk, is cleared by the lease', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 1)
    await writeFile(join(stages.copy, 'work/00000/1.claim'), '')
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['fenced', 'done'])
  })

  test.runIf(isRoot)('a full run folder costs time, not the shard', async () => {
    await using temp = await tempFolder()
    const state = join(temp.path, 'state')
    await mkdir(state)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', state])
    try {
      await writeTree(join(temp.path, 'from'), { a: '1' })
      const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
      const stages = await layStages({ ...ends, state, tool: 'rclone' })
      const fill = join(state, 'fill')
      const env = await puppet(
        join(temp.path, 'bin'),
        'rclone',
        `[[ $1 == version ]] || dd if=/dev/zero of='${fill}' bs=4k 2>/dev/null\nexec /usr/bin/rclone "$@"`,
      )
      const worker = new Worker(stages.copy, { env })
      await until(() => worker.output.includes('takes no verdict'))
      await rm(fill)
      expect(await worker.ended).toBe(0)
      expect(await verdicts(stages.copy, '00000')).toEqual(['done'])
    } finally {
      await run('umount', ['-l', state])
    }
  })
})

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
    for (const _ of [1, 2, 3, 4]) {
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

describe('what comes before', () => {
  test('verify touches no shard whose copy is not done', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 2)
    expect(await work(stages.copy, { args: ['--shard', '00001'] })).toMatchObject({ code: 0 })
    const proven = await work(stages.verify)
    expect(proven.code).toBe(1)
    expect(await verdicts(stages.verify, '00000')).toEqual([])
    expect(await verdicts(stages.verify, '00001')).toEqual(['done'])
    expect(proven.output).toContain('00000: NOT accounted for (not started, 0 attempts)')
  })

  test('a transfer that stands after another one waits for all of it', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { a: '1' })
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const first = await layStages({ ...ends, state: join(temp.path, 'first'), tool: 'rsync' })
    const before = ['../../../first/stages/data.verify']
    const second = await layStages({
      ...ends,
      state: join(temp.path, 'second'),
      tool: 'rsync',
      stagesBefore: before,
    })
    expect(await work(second.copy)).toMatchObject({ code: 1 })
    await work(first.copy)
    await rm(join(temp.path, 'to/a'))
    expect((await work(first.verify)).code).toBe(1)
    const refused = await work(second.copy)
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('has not delivered everything, so nothing starts here')
    await rm(join(first.verify, 'work/00000'), { recursive: true })
    await mkdir(join(first.verify, 'work/00000'))
    await writeFile(join(temp.path, 'to/a'), '1')
    await run('touch', ['-r', join(temp.path, 'from/a'), join(temp.path, 'to/a')])
    expect((await work(first.verify)).code).toBe(0)
    expect((await work(second.copy)).code).toBe(0)
  })
})

describe('by hand', () => {
  test('one shard from anywhere, with what it did', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 3)
    const { stderr } = await run('bash', [join(stages.copy, 'script.sh'), '--shard', '00002'], { cwd: '/' })
    expect(stderr).toContain('00002: done, 3 entries, 27 bytes')
    expect(stderr).toContain('"stats"')
    expect(await verdicts(stages.copy, '00000')).toEqual([])
    const again = await run('bash', [join(stages.copy, 'script.sh'), '--shard', '00002'], { cwd: '/' })
    expect(again.stderr).toContain('0 of 1 shards not accounted for')
    expect(await verdicts(stages.copy, '00002')).toEqual(['done'])
  })

  test('a shard that has failed for good is tried once more', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 1)
    const list = join(stages.copy, 'shards/00000.expect')
    const kept = await readFile(list)
    await rm(list)
    expect(await work(stages.copy)).toMatchObject({ code: 1 })
    await writeFile(list, kept)
    expect(await work(stages.copy, { args: ['--shard', '00000'] })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'failed', 'failed', 'done'])
  })

  test('a shard that is not there, and a word that is not known', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 1)
    const none = await work(stages.copy, { args: ['--shard', '00009'] })
    expect(none).toMatchObject({ code: 2 })
    expect(none.output).toContain('there is no shard 00009')
    const usage = await work(stages.copy, { args: ['--help'] })
    expect(usage).toMatchObject({ code: 2 })
    expect(usage.output).toContain('usage: bash ')
    expect((await stat(join(stages.copy, 'work/00000'))).isDirectory()).toBe(true)
  })
})
