import { lstat, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { puppet } from '../rig/puppet.ts'
import { lastLines, openCase, realProgram, TOOLS, writePlan, type Case } from './case.ts'

const OLD = 1_600_000_000
const NEW = 1_700_000_000

const file = (path: string, content: string, mtime: number): TreeEntry => ({
  kind: 'file',
  path,
  content,
  mtime,
})

/** What differs at the destination: newer there, older there, and equal. */
async function differing(at: Case): Promise<void> {
  await writeTree(at.from, [file('newer there', 'from', OLD), file('older there', 'from', NEW)])
  await writeTree(at.from, [file('equal', 'equal', OLD), file('absent', 'from', OLD)])
  await writeTree(at.to, [file('newer there', 'there!', NEW), file('older there', 'there!', OLD)])
  await writeTree(at.to, [file('equal', 'equal', OLD), file('extra', 'extra', OLD)])
}

async function contents(at: Case): Promise<readonly string[]> {
  const names = ['newer there', 'older there', 'absent', 'extra']
  return Promise.all(names.map((name) => readFile(join(at.to, name), 'utf8').catch(() => '-')))
}

describe.each(TOOLS)('existing: with %s', (tool) => {
  test('update writes over what differs and leaves what the source does not have', async () => {
    await using at = await openCase({ tool, existing: 'update' })
    await differing(at)
    const { exitCode, stdout } = await at.apply()
    expect(stdout).toContain(
      '\n  + new      1 file (4 B)\n  ~ changed  2 files (8 B)\n  = there    1 file (5 B)\n',
    )
    expect(exitCode).toBe(0)
    expect(await contents(at)).toEqual(['from', 'from', 'from', 'extra'])
  })

  test('keep copies only what is not there', async () => {
    await using at = await openCase({ tool, existing: 'keep' })
    await differing(at)
    const { exitCode, stdout } = await at.apply()
    expect(stdout).toContain('older there: already there and different; the plan says existing: keep\n')
    expect(exitCode).toBe(0)
    expect(await contents(at)).toEqual(['there!', 'there!', 'from', 'extra'])
  })

  test('keep-newer keeps what is newer there', async () => {
    await using at = await openCase({ tool, existing: 'keep-newer' })
    await differing(at)
    const { exitCode, stdout } = await at.apply()
    expect(stdout).toContain('newer there: newer at the destination; the plan says existing: keep-newer\n')
    expect(exitCode).toBe(0)
    expect(await contents(at)).toEqual(['there!', 'from', 'from', 'extra'])
  })

  test('error names what differs, delivers the rest and ends 1, also when nothing else is left', async () => {
    await using at = await openCase({ tool, existing: 'error' })
    await differing(at)
    const first = await at.apply()
    expect(first.exitCode).toBe(1)
    const report = [
      '  newer there: refused, because already there and different; the plan says existing: error',
      '  older there: refused, because already there and different; the plan says existing: error',
    ]
    const lines = (text: string): readonly string[] => lastLines(text, 5)
    const sorted = (some: readonly string[]): readonly string[] => some.slice(1, 3).toSorted()
    expect(lines(first.stdout)[0]).toBe(
      `data: 1 entry (4 B) delivered, verified by name, size and modification time, in ${at.to}; 1 (5 B) were there already`,
    )
    expect(sorted(lines(first.stdout))).toEqual(report)
    expect(lines(first.stdout).at(-1)).toBe(
      'NOT everything was delivered: 2 entries failed. Mend the causes above and apply again: only what is missing will be copied.',
    )
    expect(await contents(at)).toEqual(['there!', 'there!', 'from', 'extra'])
    const second = await at.apply()
    expect(second.exitCode).toBe(1)
    expect(sorted(lines(second.stdout))).toEqual(report)
    const file = join(await at.run(), 'failed.txt')
    expect(lines(second.stdout)[3]).toBe(`All failed names: ${file}`)
    expect((await readFile(file, 'utf8')).split('\n').sort()).toEqual([
      '',
      'data\trefused\tnewer there\talready there and different; the plan says existing: error',
      'data\trefused\tolder there\talready there and different; the plan says existing: error',
    ])
  })
})

describe('compare and verify', () => {
  test('compare: size takes another time for equal, checksum finds a change that hides', async () => {
    await using at = await openCase({ tool: 'rsync', compare: 'size' })
    await writeTree(at.from, [file('a', 'same size', OLD)])
    await writeTree(at.to, [file('a', 'SAME SIZE', NEW)])
    const bySize = await at.apply()
    expect(lastLines(bySize.stdout, 1)).toEqual(['Nothing is left to do.'])
    expect(await readFile(join(at.to, 'a'), 'utf8')).toBe('SAME SIZE')
    await utimes(join(at.to, 'a'), OLD, OLD)
    await using other = await openCase({ tool: 'rsync', from: at.from, to: at.to, compare: 'checksum' })
    const byContent = await other.apply()
    expect(byContent.exitCode).toBe(0)
    expect(byContent.stdout).toContain('  ? check    1 file (9 B)\n')
    expect(await readFile(join(at.to, 'a'), 'utf8')).toBe('same size')
  })

  test.each(['none', 'size', 'size+mtime', 'checksum', 'download'])('verify: %s', async (verify) => {
    await using at = await openCase({ tool: 'rclone', verify })
    await writeTree(at.from, { a: 'a', 'b/c': 'c' })
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(0)
    const words: Record<string, string> = {
      none: 'delivered, not verified',
      size: 'delivered, verified by name and size',
      'size+mtime': 'delivered, verified by name, size and modification time',
      checksum: 'delivered, verified by name, size and content hash',
      download: 'delivered, verified by name, size and content, read again on both sides',
    }
    expect(lastLines(stdout, 1)).toEqual([`data: 3 entries (2 B) ${words[verify] ?? ''}, in ${at.to}`])
    expect(stdout.includes('data.verify:')).toBe(verify !== 'none')
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })

  test('verify: checksum reads what was there already, too', async () => {
    await using at = await openCase({ tool: 'rsync', verify: 'checksum' })
    await writeTree(at.from, [file('rotten', 'good', OLD), file('sound', 'good', OLD)])
    await writeTree(at.to, [file('rotten', 'evil', OLD), file('sound', 'good', OLD)])
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(1)
    expect(stdout).toContain('  rotten: differs from the source and was not written over; ')
    expect(await readFile(join(at.to, 'rotten'), 'utf8')).toBe('evil')
  })
})

describe('symlinks, filters, umask and bandwidth', () => {
  test.each(['keep', 'follow', 'skip'])('symlinks: %s', async (symlinks) => {
    await using at = await openCase({ tool: 'rclone', symlinks })
    await writeTree(join(at.path, 'aside'), { 'd/x': 'x' })
    await writeTree(at.from, { f: 'f' })
    await symlink('f', join(at.from, 'link'))
    await symlink('nowhere', join(at.from, 'dangling'))
    await symlink(join(at.path, 'aside'), join(at.from, 'folder'))
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(0)
    const kept = ['dangling', 'f', 'folder', 'link']
    const followed = ['f', 'folder', 'folder/d', 'folder/d/x', 'link']
    const names = [...(await listTree(at.to)).keys()].sort()
    expect(names).toEqual(symlinks === 'keep' ? kept : symlinks === 'follow' ? followed : ['f'])
    if (symlinks === 'follow') expect(stdout).toContain('dangling: a symlink that leads nowhere')
    if (symlinks !== 'skip')
      expect((await lstat(join(at.to, 'link'))).isSymbolicLink()).toBe(symlinks === 'keep')
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('include and exclude, umask, bandwidth', async () => {
    const policy = {
      include: ['**/*.tar', 'keep/**'],
      exclude: ['keep/not/**'],
      umask: '027',
      bandwidth: '80Mbit/s',
    }
    await using at = await openCase({ tool: 'rclone', ...policy })
    await writeTree(at.from, {
      'a.tar': '1',
      'b/c.tar': '2',
      'b/c.txt': '3',
      'keep/x': '4',
      'keep/not/y': '5',
    })
    await mkdir(join(at.from, 'empty'))
    await writeFile(join(at.from, 'top.txt'), '6')
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/\n {2}filtered {3}\d names left out by include and exclude\n/)
    const names = [...(await listTree(at.to)).keys()]
    expect(names.filter((name) => name.includes('.') || name.includes('x')).sort()).toEqual([
      'a.tar',
      'b/c.tar',
      'keep/x',
    ])
    expect((await lstat(join(at.to, 'b'))).mode & 0o777).toBe(0o750)
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })
})

describe('after:', () => {
  /** `first` copies a tree, `second` another one, which comes after it. */
  async function two(at: Case): Promise<{ one: string; other: string }> {
    const [one, other] = [join(at.path, 'one'), join(at.path, 'other')]
    await writeTree(join(at.from, 'first'), { a: 'a', b: 'b' })
    await writeTree(join(at.from, 'second'), { c: 'c' })
    await writePlan(at.path, {
      transfers: {
        second: { from: `${at.from}/second`, to: other, after: ['first'] },
        first: { from: `${at.from}/first`, to: one },
      },
    })
    return { one, other }
  }

  test('starts when all of what it waits for is delivered', async () => {
    await using at = await openCase()
    const { one, other } = await two(at)
    const { exitCode, stderr, stdout } = await at.apply()
    expect(exitCode).toBe(0)
    expect(stdout).toContain('  second.copy: 1 shard, 1 worker, after first.verify\n')
    expect(stderr.indexOf('first.verify: ')).toBeLessThan(stderr.indexOf('second.copy: '))
    expect([...(await listTree(one)).keys(), ...(await listTree(other)).keys()].sort()).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  test('never starts when the plan can not deliver all of that', async () => {
    await using at = await openCase()
    const { one, other } = await two(at)
    await writeTree(one, { 'a/in the way': '' })
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(1)
    expect(stdout).toContain('  blocked    first can not be delivered in full, so nothing of this starts\n')
    expect(stdout).toContain('\nPlan: 2 steps, 1 shard on 1 worker, 1 B in 1 file to copy, 0 to delete; ')
    expect(lastLines(stdout, 1)[0]).toMatch(/^NOT everything was delivered: 2 entries failed\./)
    expect(stdout).toContain(
      '\nsecond: not started, because first can not be delivered in full; 1 entry left to do\n',
    )
    expect([...(await listTree(one)).keys()].sort()).toEqual(['a', 'a/in the way', 'b'])
    await expect(lstat(other)).rejects.toThrow('ENOENT')
  })

  test('never starts when something of that fails on the way', async () => {
    await using at = await openCase()
    const { one, other } = await two(at)
    const lying = `[[ $1 == --version ]] && exec ${await realProgram('rsync')} "$@"; exit 0`
    const env = await puppet(join(at.path, 'bin'), 'rsync', lying)
    const { exitCode, stdout, stderr } = await at.apply([], { env })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('second.copy: not started, because something before it failed\n')
    expect(stdout).toContain(
      '  1 entry not accounted for: a stage did not start, because something before it failed\n',
    )
    expect([...(await listTree(one)).keys()]).toEqual([])
    await expect(lstat(other)).rejects.toThrow('ENOENT')
  })
})
