import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { family, gated, isAlive, signalAll, toolPids } from './gated.ts'
import { layStages, local } from './stage.ts'
import { until, verdict, verdicts, work, Worker } from './worker.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0

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
    signalAll(await family(victim.pid), 'SIGKILL')
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
    signalAll(all, 'SIGSTOP')
    await writeFile(join(temp.path, 'gate'), '')
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    signalAll(all, 'SIGCONT')
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
        `[[ $1 == version ]] || dd if=/dev/zero of='${fill}' bs=4k 2>/dev/null\nPATH=\${PATH#*:} exec rclone "$@"`,
      )
      const worker = new Worker(stages.copy, { env: { ...env, TMPDIR: temp.path } })
      await until(() => worker.output.includes('takes no verdict'))
      await rm(fill)
      expect(await worker.ended).toBe(0)
      expect(await verdicts(stages.copy, '00000')).toEqual(['done'])
    } finally {
      await run('umount', ['-l', state])
    }
  })
})
