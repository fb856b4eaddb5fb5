import { execFile } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { hostileTree } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, openCase, TOOLS, writePlan } from './case.ts'

const run = promisify(execFile)

describe.each(TOOLS)('%s delivers what a disk can hold', (tool) => {
  test('every hostile name, kind and time, byte for byte, and nothing is left to do then', async () => {
    await using at = await openCase({ tool })
    await hostileTree(at.from)
    const first = await at.apply()
    expect(first.stdout).toContain('fifo: neither a file, a directory nor a symlink')
    expect(lastLines(first.stdout, 1)).toEqual([
      `data: 197 entries (1.0 MiB) delivered, verified by name, size and modification time, in ${at.to}`,
    ])
    expect(first.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual(['missing: "fifo"'])
    if (tool === 'rsync') {
      const [one, two] = await Promise.all(
        ['hard/one', 'plain/three'].map((name) => lstat(join(at.to, name))),
      )
      expect(one?.ino).toBe(two?.ino)
    }
    const second = await at.apply()
    expect(lastLines(second.stdout, 3)).toEqual([
      '',
      `data: nothing was left to do in ${at.to}; 197 (1.0 MiB) were there already`,
      'Nothing is left to do.',
    ])
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await readdir(join(at.state, 'runs'))).toHaveLength(1)
  })

  test('a thousand levels, one big file beside many small ones', async () => {
    await using at = await openCase({ tool })
    const small = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`small/${index}`, `${index}`]),
    )
    await writeTree(at.from, { ...small, big: Buffer.alloc(12 * 2 ** 20, 'big') })
    await mkdir(join(at.from, 'd/'.repeat(1000)), { recursive: true })
    await writeFile(join(at.from, `${'d/'.repeat(1000)}bottom`), 'deep')
    const { exitCode, stderr } = await at.apply([], { env: manyShards() })
    expect(stderr).toMatch(/copied, (\d{2,})\/\1 shards, over/)
    expect(exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })

  test('places and plans with odd names, and a single file under three kinds of destination', async () => {
    await using at = await openCase()
    const odd = join(at.path, `pl'an "$(touch X)" ü;#*`)
    const [from, to] = [join(odd, '-from\nnew $(touch X)'), join(odd, `-to ' "\\ \t*`)]
    await writeTree(from, [
      { kind: 'file', path: 'f', content: 'f' },
      { kind: 'symlink', path: 'l', target: 'f' },
    ])
    const single = `${from}/f`
    await mkdir(join(odd, 'there'))
    await writePlan(odd, {
      transfers: {
        tree: { from, to, tool },
        closed: { from: single, to: `${odd}/closed/`, tool },
        there: { from: single, to: `${odd}/there`, tool },
        named: { from: single, to: `${odd}/a/-new\nname`, tool },
      },
    })
    const { exitCode, stdout } = await at.apply([], { cwd: odd })
    expect(exitCode).toBe(0)
    expect(stdout).toContain(
      `tree: $'${odd.replaceAll("'", "\\'")}/-from\\nnew $(touch X)' → $'`.replace('ü', 'ü'),
    )
    expect(await compareTrees(from, to, { mtimes: true })).toEqual([])
    for (const file of ['closed/f', 'there/f', 'a/-new\nname'])
      expect(await readFile(join(odd, file), 'utf8')).toBe('f')
    expect((await readdir(odd)).sort()).toEqual(
      ['.soxplan', '-from\nnew $(touch X)', `-to ' "\\ \t*`, 'a', 'closed', 'plan.yaml', 'there'].sort(),
    )
    expect(lastLines((await at.apply([], { cwd: odd })).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('nothing is written through a symlink of the destination, and everything in its way is named', async () => {
    await using at = await openCase({ tool })
    const outside = join(at.path, 'outside')
    await writeTree(outside, { target: 'keep me' })
    await writeTree(at.from, [
      { kind: 'file', path: 'linked folder/a', content: 'a' },
      { kind: 'file', path: 'linked file', content: 'b' },
      { kind: 'file', path: 'folder there', content: 'c' },
      { kind: 'file', path: 'file there/d', content: 'd' },
      { kind: 'symlink', path: 'link', target: 'linked folder' },
      { kind: 'file', path: 'free', content: 'e' },
    ])
    await writeTree(at.to, { 'folder there/x': 'x', 'file there': 'y', 'link/z': 'z' })
    await symlink(outside, join(at.to, 'linked folder'))
    await symlink(join(outside, 'target'), join(at.to, 'linked file'))
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(1)
    const report = stdout.slice(stdout.indexOf('\ndata: ', stdout.indexOf('Plan:')))
    for (const line of [
      'linked folder: refused, because a symlink stands in its place',
      'linked folder/a: refused, because a symlink stands in its path at the destination',
      'linked file: refused, because a symlink stands in its place',
      'folder there: refused, because a directory stands in its place',
      'file there: refused, because something that is no directory stands in its place',
      'file there/d: refused, because something that is no directory stands in its path at the destination',
      'link: refused, because a directory stands in its place',
    ])
      expect(report).toContain(`\n  ${line}\n`)
    expect(report).toContain('NOT everything was delivered: 7 entries failed.')
    expect(await readFile(join(at.to, 'free'), 'utf8')).toBe('e')
    expect([...(await listTree(outside)).keys()]).toEqual(['target'])
    expect(await readFile(join(outside, 'target'), 'utf8')).toBe('keep me')
    expect(await readFile(join(await at.run(), 'failed.txt'), 'utf8')).toContain(
      'data\trefused\tlinked folder/a\ta symlink stands in its path at the destination\n',
    )
  })
})

test('hard links across many shards stay one file with rsync', async () => {
  await using at = await openCase({ tool: 'rsync' })
  const groups = Array.from({ length: 40 }, (_, index) => index)
  await writeTree(at.from, Object.fromEntries(groups.map((group) => [`a/${group}`, `${group}`.repeat(1000)])))
  await mkdir(join(at.from, 'b'))
  for (const group of groups) await run('ln', [join(at.from, `a/${group}`), join(at.from, `b/${group}`)])
  expect((await at.apply([], { env: manyShards() })).exitCode).toBe(0)
  for (const group of groups) {
    const [one, two] = await Promise.all([lstat(join(at.to, `a/${group}`)), lstat(join(at.to, `b/${group}`))])
    expect(one.ino).toBe(two.ino)
  }
})

function manyShards(): NodeJS.ProcessEnv {
  return { ...process.env, SOXPLAN_SHARD_SECONDS: '0.001' }
}

test.each(TOOLS)('a single file keeps and gets names that are not ASCII, with %s', async (tool) => {
  await using at = await openCase({ tool })
  await writeFile(join(at.from, 'né🚚'), 'cargo')
  await writePlan(at.path, {
    transfers: { data: { from: join(at.from, 'né🚚'), to: join(at.to, 'neu ü'), tool } },
  })
  expect(await at.apply()).toMatchObject({ exitCode: 0 })
  expect(await readFile(join(at.to, 'neu ü'), 'utf8')).toBe('cargo')
})
