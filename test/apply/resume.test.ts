import { lstat, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import {
  compareFinished,
  isThere,
  lastLines,
  openCase,
  processesOf,
  realProgram,
  TOOLS,
  until,
  withVariables,
  type Case,
} from './case.ts'

const MANY = { SOXPLAN_SHARD_SECONDS: '0.001' }

/** 16 shards and a tool that stops in the third and later calls until `go` is there. */
async function slowly(at: Case, tool: string): Promise<NodeJS.ProcessEnv> {
  const files = Array.from(
    { length: 64 },
    (_, index) => [`d${index % 8}/f${index}`, `${index}`.repeat(50)] as const,
  )
  await writeTree(at.from, Object.fromEntries(files))
  const real = await realProgram(tool)
  const script = `
    case "$1" in version | --version) exec ${real} "$@" ;; esac
    echo >> ${at.path}/calls
    if (($(wc -l < ${at.path}/calls) > 4)); then touch ${at.path}/waits; until [[ -e ${at.path}/go ]]; do sleep 0.1; done; fi
    exec ${real} "$@"`
  return puppet(join(at.path, 'bin'), tool, script, withVariables(MANY))
}

/** Inode and change time of every file that is there. */
async function marks(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = [...(await listTree(folder)).keys()]
  const stats = await Promise.all(names.map((name) => lstat(join(folder, name), { bigint: true })))
  return new Map(
    names.flatMap((name, index) => {
      const stat = stats[index]
      return stat?.isFile() === true ? [[name, `${stat.ino} ${stat.ctimeNs}`] as const] : []
    }),
  )
}

/** Attempts made at each shard of the copy, in their order. */
async function attempts(at: Case): Promise<readonly number[]> {
  const work = join(await at.run(), 'stages/data.copy/work')
  const shards = (await readdir(work)).sort()
  const names = await Promise.all(shards.map((shard) => readdir(join(work, shard))))
  return names.map((some) => some.filter((name) => name.endsWith('.claim')).length)
}

describe.each(TOOLS)('an unfinished run, with %s', (tool) => {
  test.each(['SIGKILL', 'SIGINT', 'SIGHUP'] as const)(
    'after %s: nothing runs on, and nothing proven is copied again',
    async (signal) => {
      await using at = await openCase({ tool, verify: 'size' })
      const env = await slowly(at, tool)
      const first = at.start([], { env })
      await until(() => isThere(join(at.path, 'waits')))
      first.child.kill(signal)
      const ended = await first.ended
      expect(ended.exitCode).toBe(signal === 'SIGKILL' ? 137 : 130)
      if (signal !== 'SIGKILL')
        expect(lastLines(ended.stderr, 1)).toEqual([
          'Stopped. What is proven is kept; the same command goes on from there.',
        ])
      // After a kill the workers see within a beat that nobody drives them any more.
      await until(async () => (await processesOf(at.path)).length === 0)
      const before = await marks(at.to)
      const tried = await attempts(at)
      expect(tried.filter((count) => count > 0).length).toBeGreaterThan(3)
      await writeFile(join(at.path, 'go'), '')
      const second = await at.apply([], { env })
      expect(second.stderr).toMatch(
        /^Run \S+ of plan \S+ is unfinished; going on with what has no proof yet/m,
      )
      expect(second.stderr).toMatch(
        /^0 of (\d+) shards proven, \S+ \S+ in \1 shards left(, \S+ \S+ of it only to verify)?\.$/m,
      )
      expect(second.exitCode).toBe(0)
      expect(await compareFinished(at)).toEqual([])
      expect(await readdir(join(at.state, 'runs'))).toHaveLength(1)
      const after = await marks(at.to)
      for (const [name, mark] of before) expect([name, after.get(name)]).toEqual([name, mark])
      expect(Math.max(...(await attempts(at)))).toBe(2)
      expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
    },
  )

  test('a symlink that was put in the way meanwhile is never written through', async () => {
    await using at = await openCase({ tool })
    const env = await slowly(at, tool)
    const outside = join(at.path, 'outside')
    await writeTree(outside, { target: 'keep me' })
    const first = at.start([], { env })
    await until(() => isThere(join(at.path, 'waits')))
    first.child.kill('SIGINT')
    await first.ended
    const there = new Set((await listTree(at.to)).keys())
    const [absent = ''] = (await names(at)).filter((name) => !there.has(name))
    const [folder = ''] = (await names(at))
      .map((name) => name.split('/')[0] ?? '')
      .filter((name) => !absent.startsWith(`${name}/`))
    await mkdir(join(at.to, absent, '..'), { recursive: true })
    await symlink(join(outside, 'target'), join(at.to, absent))
    await rm(join(at.to, folder), { recursive: true, force: true })
    await symlink(outside, join(at.to, folder))
    await writeFile(join(at.path, 'go'), '')
    const second = await at.apply([], { env })
    expect(await readFile(join(outside, 'target'), 'utf8')).toBe('keep me')
    expect([...(await listTree(outside)).keys()]).toEqual(['target'])
    expect(second.exitCode).toBe(1)
    expect(second.stdout).toMatch(
      new RegExp(
        `${folder}/f\\d+: would have been written through a symlink at the destination; remove the link`,
      ),
    )
    await rm(join(at.to, folder))
    // The tools differ in whether a link at a file's own name is replaced or refused.
    if ((await lstat(join(at.to, absent))).isSymbolicLink()) await rm(join(at.to, absent))
    expect((await at.apply([], { env })).exitCode).toBe(0)
    expect(await compareFinished(at)).toEqual([])
  })
})

async function names(at: Case): Promise<readonly string[]> {
  return [...(await listTree(at.from)).keys()].filter((name) => name.includes('/'))
}

describe('a finished run that was damaged since', () => {
  test.each(TOOLS)('is mended with %s, and what can not be is named', async (tool) => {
    await using at = await openCase({ tool })
    await writeTree(at.from, {
      'a/cut': 'whole',
      'a/gone': 'there',
      link: 'file',
      folder: 'file',
      'b/same': 'same',
    })
    await symlink('a/cut', join(at.from, 'symlink'))
    expect((await at.apply()).exitCode).toBe(0)
    const same = await lstat(join(at.to, 'b/same'), { bigint: true })
    await writeFile(join(at.to, 'a/cut'), 'who')
    await rm(join(at.to, 'a/gone'))
    await rename(join(at.to, 'link'), join(at.to, 'elsewhere'))
    await symlink('elsewhere', join(at.to, 'link'))
    await rm(join(at.to, 'folder'))
    await mkdir(join(at.to, 'folder'))
    await rm(join(at.to, 'symlink'))
    await symlink('nowhere', join(at.to, 'symlink'))
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(1)
    expect(stdout).toContain('  link: refused, because a symlink stands in its place\n')
    expect(stdout).toContain('  folder: refused, because a directory stands in its place\n')
    expect(await compareTrees(at.from, at.to)).toEqual([
      'extra: "elsewhere"',
      'kind: "folder": file / directory',
      'kind: "link": file / symlink',
    ])
    expect(await readFile(join(at.to, 'elsewhere'), 'utf8')).toBe('file')
    expect((await lstat(join(at.to, 'b/same'), { bigint: true })).ctimeNs).toBe(same.ctimeNs)
  })

  test('same size and time, other content: found when contents are proven', async () => {
    await using at = await openCase({ tool: 'rsync', compare: 'checksum' })
    await writeTree(at.from, { a: 'good' })
    await utimes(join(at.from, 'a'), 1_700_000_000, 1_700_000_000)
    expect((await at.apply()).exitCode).toBe(0)
    await writeFile(join(at.to, 'a'), 'evil')
    await utimes(join(at.to, 'a'), 1_700_000_000, 1_700_000_000)
    expect((await at.apply()).exitCode).toBe(0)
    expect(await readFile(join(at.to, 'a'), 'utf8')).toBe('good')
  })
})

test('only one soxplan works in a state folder; the lock of a dead one is taken over', async () => {
  await using at = await openCase({ tool: 'rsync' })
  const env = await slowly(at, 'rsync')
  const first = at.start([], { env })
  await until(() => isThere(join(at.path, 'waits')))
  const second = await at.apply([], { env })
  expect(second.exitCode).toBe(1)
  expect(second.stderr).toContain(
    `error SX601: Another soxplan works in this state folder: process ${first.pid} of `,
  )
  first.child.kill('SIGKILL')
  await first.ended
  await writeFile(join(at.path, 'go'), '')
  expect((await at.apply([], { env })).exitCode).toBe(0)
  expect(await isThere(join(at.state, 'lock'))).toBe(false)
})

test('--new starts another run, and another plan in the same folder is no continuation', async () => {
  await using at = await openCase({ tool: 'rsync' })
  const env = await slowly(at, 'rsync')
  const first = at.start([], { env })
  await until(() => isThere(join(at.path, 'waits')))
  first.child.kill('SIGINT')
  await first.ended
  await writeFile(join(at.path, 'go'), '')
  const fresh = await at.apply(['--new'], { env })
  expect(fresh.exitCode).toBe(0)
  expect(await readdir(join(at.state, 'runs'))).toHaveLength(2)
  expect(await compareFinished(at)).toEqual([])
})
