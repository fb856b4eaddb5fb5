import { lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { HOSTILE_NAMES, hostileTree } from '../rig/hostile.ts'
import { runSoxplan } from '../rig/soxplan.ts'
import { inside, writeTree } from '../rig/tree.ts'
import { isThere, lastLines, openCase, writePlan } from './case.ts'

const MIRROR = { mode: 'mirror', maxDelete: '100%' }

describe('a mirror between disks', () => {
  test('deletes what the source has not, shown apart and first, and then nothing is left to do', async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { 'a/b': 'b', new: 'new', keep: 'k' })
    await writeTree(at.to, { keep: 'k', 'a/old': '12345678', 'gone/deep/er': '12' })
    await symlink('nowhere', join(at.to, 'gone/link'))
    const when = new Date(1_700_000_000_000)
    await Promise.all([at.from, at.to].map((folder) => utimes(join(folder, 'keep'), when, when)))
    const shown = await at.plan()
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' })
    expect(shown.stdout.split('\n\n').slice(1, 2)).toEqual([
      [
        `data, to delete in ${at.to}: 2 files (10 B), 2 directories, 1 symlink`,
        '  a/old',
        '  gone/deep/er',
        '  gone/link',
        '  gone/deep/',
        '  gone/',
      ].join('\n'),
    ])
    expect(shown.stdout).toContain('2 files to copy, 5 to delete; est.')
    expect(shown.stdout).toMatch(/^ {2}data\.prune: 1 shard, 1 worker, after data\.verify$/m)
    const applied = await at.apply()
    expect(lastLines(applied.stdout, 1)).toEqual([
      `data: 2 entries (4 B) delivered, verified by name, size and modification time, in ${at.to}; 5 (10 B) deleted; 2 (1 B) were there already`,
    ])
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
    const again = await at.apply()
    expect(again).toMatchObject({ exitCode: 0, stderr: '' })
    expect(lastLines(again.stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('with nothing to copy there is still something to delete', async () => {
    await using at = await openCase({ ...MIRROR, tool: 'rsync' })
    await writeTree(at.from, { a: 'a' })
    expect((await at.apply()).exitCode).toBe(0)
    await writeTree(at.to, { b: 'bb' })
    const shown = await at.plan(['--detailed-exitcode'])
    expect(shown.exitCode).toBe(2)
    expect(lastLines(shown.stdout, 1)).toEqual([
      'Plan: 1 step, 0 shards on 1 worker, 0 B in 0 files to copy, 1 to delete; est. 0s.',
    ])
    const told = JSON.parse((await at.plan(['--json'])).stdout) as { transfers: readonly object[] }
    expect(told.transfers[0]).toMatchObject({
      deletes: {
        count: 1,
        files: 1,
        directories: 0,
        symlinks: 0,
        others: 0,
        bytes: 2,
        entries: 2,
        first: ['b'],
      },
    })
    const applied = await at.apply()
    expect(lastLines(applied.stdout, 1)).toEqual([
      `data: nothing was left to copy to ${at.to}; 1 (2 B) deleted; 1 (1 B) were there already`,
    ])
    expect(applied.exitCode).toBe(0)
    expect([...(await listTree(at.to)).keys()]).toEqual(['a'])
  })

  test('the question names the deletions again, and a no deletes nothing', async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { a: 'a' })
    await writeTree(at.to, { b: 'bb' })
    const asked = await runSoxplan(['apply', 'plan.yaml', '--executor', 'local'], {
      cwd: at.path,
      tty: { columns: 200 },
      stdin: 'no\n',
    })
    expect(asked.stdout.replaceAll('\r', '')).toContain(
      `\nThis deletes 1 file (2 B) in ${at.to}, once all else is proven.\nType yes to do exactly this: `,
    )
    expect(asked.exitCode).toBe(2)
    expect([...(await listTree(at.to)).keys()]).toEqual(['b'])
  })

  test('every name that a disk can hold goes, and every one that the source has stays', async () => {
    await using at = await openCase({ ...MIRROR, tool: 'rsync' })
    await hostileTree(at.from, { withoutSpecials: true })
    expect((await at.apply()).exitCode).toBe(0)
    // The same names once more, each in a folder that the source has not, and beside them.
    await hostileTree(join(at.to, 'too much'))
    for (const name of HOSTILE_NAMES) {
      const beside = Buffer.concat([
        Buffer.from('folders/'),
        Buffer.from(name),
        Buffer.from('/x\n"$(touch X)"'),
      ])
      await writeFile(inside(at.to, beside), 'x')
    }
    const applied = await at.apply()
    expect(applied.stderr).not.toContain('error')
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
    const names = await readFile(join(at.state, 'deletes/data.txt'), 'utf8')
    expect(names).toContain(`$'too much/new\\nline'\n`)
    expect(applied.stdout).toMatch(
      new RegExp(`^ {2}and \\d+ more; all of them: ${at.state}/deletes/data\\.txt$`, 'm'),
    )
    expect(names.trimEnd().split('\n').at(-1)).toBe('too much/')
  })

  test('a symlink goes as a link, and nothing is deleted through one', async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { a: 'a' })
    const outside = join(at.path, 'outside')
    await writeTree(outside, { 'in/file': 'mine' })
    await mkdir(at.to)
    await symlink(outside, join(at.to, 'link'))
    await symlink(join(outside, 'in/file'), join(at.to, 'file'))
    expect((await at.apply()).exitCode).toBe(0)
    expect([...(await listTree(at.to)).keys()]).toEqual(['a'])
    expect([...(await listTree(outside)).keys()]).toEqual(['in', 'in/file'])
  })

  test('what the filter leaves out stays, and every directory that holds some of it', async () => {
    await using at = await openCase({ ...MIRROR, exclude: ['tmp/**', '*.lock'] })
    await writeTree(at.from, { a: 'a', 'tmp/x': 'x' })
    await writeTree(at.to, {
      'tmp/y': 'y',
      'old/sub/one.lock': 'l',
      'old/sub/two': '2',
      'old/sub2/three': '3',
      'b.lock/in': 'i',
    })
    expect((await at.apply()).exitCode).toBe(0)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual(
      ['a', 'b.lock', 'b.lock/in', 'old', 'old/sub', 'old/sub/one.lock', 'tmp', 'tmp/y'].sort(),
    )
  })

  test('with include, only what it names is deleted', async () => {
    await using at = await openCase({ ...MIRROR, include: ['**/*.tar'] })
    await writeTree(at.from, { 'a.tar': 'a', 'b.txt': 'b' })
    await writeTree(at.to, { 'old.tar': 'o', 'old.txt': 't', 'd/x.tar': 'x' })
    expect((await at.apply()).exitCode).toBe(0)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual(['a.tar', 'd', 'old.txt'])
  })

  test("soxplan's own files at the destination stay", async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { a: 'a' })
    await writeTree(at.to, { 'd/.soxplan-partial/half': 'h', 'state/other': 'o', old: 'x' })
    const applied = await at.apply(['--state', join(at.to, 'state')])
    expect(applied.exitCode).toBe(0)
    const left = [...(await listTree(at.to)).keys()].filter((name) => !name.startsWith('state/'))
    expect(left.sort()).toEqual(['a', 'd', 'd/.soxplan-partial', 'd/.soxplan-partial/half', 'state'])
    expect(await isThere(join(at.to, 'state/other'))).toBe(true)
  })

  test('a name that the source has in another form stays, with what stands below it', async () => {
    await using at = await openCase({ ...MIRROR, symlinks: 'skip' })
    await writeTree(at.from, { a: 'a', 'real/x': 'x' })
    await symlink('real', join(at.from, 'link'))
    await writeTree(at.to, { 'link/followed once': 'f', other: 'o' })
    expect((await at.apply()).exitCode).toBe(0)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual([
      'a',
      'link',
      'link/followed once',
      'real',
      'real/x',
    ])
  })

  test('with rclone named as the tool, and a transfer that comes after', async () => {
    await using at = await openCase()
    const third = join(at.path, 'third')
    await writePlan(at.path, {
      transfers: {
        data: { from: at.from, to: at.to, tool: 'rclone', ...MIRROR },
        next: { from: join(at.path, 'more'), to: third, after: ['data'] },
      },
    })
    await writeTree(at.from, { a: 'a', 'd/e': 'e' })
    await writeTree(join(at.path, 'more'), { m: 'm' })
    await writeTree(at.to, { old: 'o' })
    const applied = await at.apply()
    expect(applied.stdout).toMatch(/^ {2}next\.copy: 1 shard, 1 worker, after data\.prune$/m)
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
    expect([...(await listTree(third)).keys()]).toEqual(['m'])
  })

  test('with a fixup: deletions come behind the proof and before the attributes of directories', async () => {
    await using at = await openCase()
    await writePlan(at.path, {
      transfers: { data: { from: at.from, to: at.to, tool: 'rclone', ...MIRROR, fixup: { from: at.from } } },
    })
    await writeTree(at.from, [
      { kind: 'file', path: 'd/a', content: 'a', mode: 0o640 },
      { kind: 'directory', path: 'd', mode: 0o750, mtime: 1_500_000_000 },
    ])
    await writeTree(at.to, { 'd/old': 'o', 'gone/x': 'x' })
    const applied = await at.apply()
    expect(applied.stdout).toMatch(/^ {2}data\.prune: 1 shard, 1 worker, after data\.verify$/m)
    expect(applied.stdout).toMatch(/^ {2}data\.directories: 1 shard, 1 worker, after data\.prune$/m)
    expect(applied.stdout).toContain('; 3 (2 B) deleted')
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
    expect((await lstat(join(at.to, 'd'))).mtimeMs).toBe(1_500_000_000_000)
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('the list in the run folder is that of the preview, with size and time', async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { a: 'a' })
    await writeTree(at.to, { 'd/old': '123' })
    const { mtimeNs } = await lstat(join(at.to, 'd/old'), { bigint: true })
    await at.apply()
    const list = await readFile(join(await at.run(), 'stages/data.prune/shards/00001.expect'), 'utf8')
    const seconds = `${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, '0')}0`
    expect(list.split('\0')).toEqual([`f 3 ${seconds} ./d/old`, 'd - - ./d', ''])
    expect(await readdir(join(await at.run(), 'stages/data.prune/work/00001'))).toContain('1.end')
  })
})
