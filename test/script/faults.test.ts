import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { layStages, local, type Stages } from './stage.ts'
import { failed, log, verdict, verdicts, work } from './worker.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0

const answersVersion = `[[ $1 == version ]] && { echo 'rclone v1.60.1-DEV'; exit; }`

async function laid(folder: string, tree: Readonly<Record<string, string>>, shards = 1): Promise<Stages> {
  await writeTree(join(folder, 'from'), tree)
  const ends = { from: local(join(folder, 'from')), to: local(join(folder, 'to')) }
  return layStages({ ...ends, state: folder, tool: 'rclone', shards })
}

describe('a tool that cannot be trusted', () => {
  test('says it copied, and did not: every name is given up by name, after all attempts', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: '1', 'b\nc': '22' })
    const env = await puppet(join(temp.path, 'bin'), 'rclone', `${answersVersion}\nexit 0`)
    const copied = await work(stages.copy, { env })
    expect(copied.code).toBe(0)
    expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'failed', 'done'])
    expect(await failed(stages.copy, '00000', 3)).toEqual(['not-copied ./a', 'not-copied ./b\nc'])
    expect(await verdict(stages.copy, '00000', 3)).toMatchObject({
      files: '0',
      bytes: '0',
      failed: '2',
      exit: '0',
    })
    expect(copied.output).toContain('2 entries FAILED')
  })

  test('fails for a while: the next attempt finishes, and the exit code is on record', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: '1', b: '2' }, 2)
    const flag = join(temp.path, 'flag')
    const script = `${answersVersion}\n[[ -e '${flag}' ]] || { touch '${flag}'; echo 'connection refused' >&2; exit 5; }`
    const env = await puppet(join(temp.path, 'bin'), 'rclone', `${script}\nPATH=\${PATH#*:} exec rclone "$@"`)
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'done'])
    expect(await verdicts(stages.copy, '00001')).toEqual(['done'])
    expect(await verdict(stages.copy, '00000', 1)).toMatchObject({ exit: '5', failed: '1' })
    expect(await log(stages.copy, '00000', 1)).toContain('connection refused')
  })

  test('is not there: each shard says so, the worker goes on and ends 1', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { a: '1', b: '2' })
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const program = 'no-such-rclone'
    const stages = await layStages({ ...ends, state: temp.path, tool: 'rclone', shards: 2, program })
    const copied = await work(stages.copy)
    expect(copied.code).toBe(1)
    expect(copied.output).toContain('no-such-rclone is not installed on ')
    for (const shard of stages.shards) {
      expect(await verdicts(stages.copy, shard)).toEqual(['failed', 'failed', 'failed'])
      expect(await verdict(stages.copy, shard, 3)).toMatchObject({ exit: '127' })
    }
    // Others may have it: a worker that is not the closer takes nothing.
    const others = await layStages({ ...ends, state: join(temp.path, 'b'), tool: 'rclone', program })
    expect(await work(others.copy, { worker: 1 })).toMatchObject({ code: 1 })
    expect(await verdicts(others.copy, '00000')).toEqual([])
  })

  test('nor does a worker take a shard where its places are not: a folder that is missing, or nothing mounted there', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { a: '1' })
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const gone = join(temp.path, 'was', 'here')
    const cases = [
      [{ folder: gone, isMounted: true }, `${gone}, which was there when this was planned, is not there on `],
      [{ folder: temp.path, isMounted: true }, `nothing is mounted at ${temp.path} on `],
    ] as const
    for (const [index, [anchor, said]] of cases.entries()) {
      const state = join(temp.path, `state${index}`)
      const stages = await layStages({ ...ends, state, tool: 'rsync', anchors: [anchor] })
      const copied = await work(stages.copy, { worker: 1 })
      expect(copied.output).toContain(said)
      expect(copied.code).toBe(1)
      expect(await verdicts(stages.copy, '00000')).toEqual([])
    }
    const shm = { folder: '/dev/shm', isMounted: true }
    const fine = [shm, { folder: temp.path, isMounted: false }]
    const stages = await layStages({ ...ends, state: join(temp.path, 'fine'), tool: 'rsync', anchors: fine })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
  })

  test('is too old for its flags', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: '1' })
    const env = await puppet(join(temp.path, 'bin'), 'rclone', 'echo rclone v1.40')
    const copied = await work(stages.copy, { env })
    expect(copied.code).toBe(1)
    expect(copied.output).toMatch(/is too old: rclone v1\.40, needed is 1\.\d+/)
  })

  test('copies the wrong bytes: the size tells, and the next attempt mends it', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: 'right' })
    const flag = join(temp.path, 'flag')
    const lie = `[[ -e '${flag}' ]] || { touch '${flag}'; printf wrong-size >"\${@: -1}/a"; exit 0; }`
    const env = await puppet(
      join(temp.path, 'bin'),
      'rclone',
      `${answersVersion}\n${lie}\nPATH=\${PATH#*:} exec rclone "$@"`,
    )
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'done'])
    expect(await readFile(join(temp.path, 'to/a'), 'utf8')).toBe('right')
  })

  test('is not started for a shard without files', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'from/empty/inside'), { recursive: true })
    const stages = await laid(temp.path, {})
    const env = await puppet(
      join(temp.path, 'bin'),
      'rclone',
      `${answersVersion}\ntouch '${temp.path}/started'`,
    )
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await compareTrees(join(temp.path, 'from'), join(temp.path, 'to'))).toEqual([])
    await expect(readFile(join(temp.path, 'started'))).rejects.toThrow('ENOENT')
  })
})

describe('files that are lost', () => {
  test('a list that is missing or cut fails the shard, never passes for nothing to do', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: '1', b: '2', c: '3', d: '4' }, 2)
    await rm(join(stages.copy, 'shards/00000.expect'))
    await truncate(join(stages.copy, 'shards/00001.expect'), 30)
    const copied = await work(stages.copy)
    expect(copied.code).toBe(1)
    expect(copied.output).toContain('2 of 2 shards not accounted for')
    expect(await verdicts(stages.copy, '00001')).toEqual(['failed', 'failed', 'failed'])
    expect(await log(stages.copy, '00001', 1)).toContain('holds')
  })

  test('what is damaged between copy and verify is named by the verify stage', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { gone: '1', cut: '22', touched: '3', good: '4', 'sub/dir/x': '5' })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    const to = join(temp.path, 'to')
    await rm(join(to, 'gone'))
    await rm(join(to, 'sub/dir'), { recursive: true })
    await truncate(join(to, 'cut'), 1)
    await utimes(join(to, 'touched'), 1_000_000_000, 1_000_000_000)
    const proven = await work(stages.verify)
    expect(proven.code).toBe(1)
    expect(await failed(stages.verify, '00000', 1)).toEqual([
      'differs ./cut',
      'differs ./touched',
      'unproven ./gone',
      'unproven ./sub/dir',
      'unproven ./sub/dir/x',
    ])
    expect(await verdict(stages.verify, '00000', 1)).toMatchObject({ files: '2', bytes: '1', failed: '5' })
  })

  test.runIf(isRoot)('a full destination: what does not fit is named, the rest is there', async () => {
    await using temp = await tempFolder()
    const small = join(temp.path, 'to')
    await mkdir(small)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small])
    try {
      const half = 'x'.repeat(700_000)
      const stages = await laid(temp.path, { 'a-big': half, 'b-big': half, small: '1' })
      expect((await work(stages.copy)).code).toBe(0)
      expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'failed', 'done'])
      const [lost = '', ...others] = await failed(stages.copy, '00000', 3)
      expect(others).toEqual([])
      expect(lost).toMatch(/^no-space \.\/[ab]-big$/)
    } finally {
      await run('umount', ['-l', small])
    }
  })

  test('the node has no room for temporary files: the run folder takes them', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: '1' })
    const env = { ...process.env, TMPDIR: join(temp.path, 'no such folder') }
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    const { stdout } = await run('ls', [join(stages.copy, 'workers')])
    expect(stdout).not.toContain('tmp.')
  })

  test('a run folder that cannot be written ends the worker with 74', async () => {
    await using temp = await tempFolder()
    const stages = await laid(temp.path, { a: '1' })
    await rm(join(stages.copy, 'workers'), { recursive: true })
    await writeFile(join(stages.copy, 'workers'), '')
    expect(await work(stages.copy)).toMatchObject({ code: 74 })
  })
})
