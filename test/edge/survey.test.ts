import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { scanManifest } from '../../src/edge/manifest-file.ts'
import { shown } from '../inventory/records.ts'
import { tempFolder } from '../rig/folder.ts'
import { HOSTILE_NAMES, hostileEntries, hostileTree } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { complaint, fates, surveyed } from './survey-rig.ts'

const execFilePromise = promisify(execFile)

describe('a source and no destination', () => {
  test('everything on the disk is in the manifest, byte for byte, and new', async () => {
    await using temp = await tempFolder()
    await hostileTree(join(temp.path, 'from'))
    const found = await surveyed(temp.path)
    const { stdout } = await execFilePromise(
      'find',
      [join(temp.path, 'from'), '-mindepth', '1', '-printf', '%y %P\\0'],
      {
        encoding: 'latin1',
      },
    )
    const expected = stdout.split('\0').slice(0, -1)
    expect(await fates(found)).toEqual(
      expected.map((line) => (line.startsWith('p') ? `-${line}` : `+${line}`)).sort(),
    )
    expect(found.entries).toBe(expected.length)
    expect(found.skipped).toEqual({
      count: 1,
      named: [{ path: 'fifo', reason: 'neither a file, a directory nor a symlink' }],
    })
    expect(found.tree.hasHardLinks).toBe(true)
    expect(found.largest).toEqual({ path: 'sparse', sizeBytes: 2 ** 20 })
    const invalid = HOSTILE_NAMES.filter((name) => typeof name !== 'string')
    // Each stands in the tree three times: as a file, as a folder, and in the path of the file in that folder.
    expect(found.notUtf8.count).toBe(invalid.length * 3)
    expect(found.listingErrors.count).toBe(0)
  })

  test('sizes, times, link counts and targets are those of the disk', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), [
      { kind: 'file', path: 'old', content: 'abc' },
      { kind: 'hardlink', path: 'twin', to: 'old' },
      { kind: 'symlink', path: 'link', target: Buffer.from('x\n\xff', 'latin1') },
    ])
    await execFilePromise('touch', ['-d', '@-1.5', join(temp.path, 'from/old')])
    const found = await surveyed(temp.path)
    const records = new Map<string, ReturnType<typeof shown>>()
    await scanManifest(found.manifestPath, (view) => records.set(shown(view).path, shown(view)))
    expect(records.get('old')).toMatchObject({ size: 3, mtime: -2, links: 2 })
    expect(records.get('twin')?.identity).toBe(records.get('old')?.identity)
    expect(records.get('link')).toMatchObject({ target: 'x\n\xff' })
  })

  test('an empty source', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'from'))
    const found = await surveyed(temp.path)
    expect(found).toMatchObject({ entries: 0, filtered: 0, destinationState: 'absent' })
    expect(found.sample).toBeUndefined()
    expect(await fates(found)).toEqual([])
  })

  test('a name like an option, and one with a newline', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, '-L\n'), { f: '' })
    expect(await fates(await surveyed(temp.path, { from: '-L\n' }))).toEqual(['+f f'])
  })

  test('a symlink that the plan names is gone through', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'real'), { f: '' })
    await symlink('real', join(temp.path, 'from'))
    const found = await surveyed(temp.path)
    expect(await fates(found)).toEqual(['+f f'])
    expect(found.sourceRoot).toEqual({ kind: 'local', path: join(temp.path, 'real') })
  })
})

describe('filters', () => {
  test('what is left out is counted and not in the manifest', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { 'a.tar': '1', 'a.zip': '', 'tmp/b.tar': '', 'd/c.tar': '22' })
    const found = await surveyed(temp.path, { include: ['*.tar'], exclude: ['/tmp'] })
    expect(await fates(found)).toEqual(['+f a.tar', '+f d/c.tar'])
    expect(found.filtered).toBe(4)
    expect(found.tallies.new).toEqual({ files: 2, directories: 0, symlinks: 0, specials: 0, bytes: 3 })
  })

  test('a pattern that can not be read stops it before anything is listed', async () => {
    await using temp = await tempFolder()
    expect(await complaint(temp.path, { include: ['[a'] })).toContain('SX210')
  })
})

describe('a destination that holds something', () => {
  test('a finished copy is all the same, hostile names and all', async () => {
    await using temp = await tempFolder()
    await hostileTree(join(temp.path, 'from'), { withoutSpecials: true })
    await execFilePromise('cp', ['-a', join(temp.path, 'from'), join(temp.path, 'to')])
    const found = await surveyed(temp.path)
    expect(new Set((await fates(found)).map((line) => line[0]))).toEqual(new Set(['=']))
    expect(found.entries).toBeGreaterThan(hostileEntries().length)
  })

  test('each entry gets the fate of what stands in its place', async () => {
    await using temp = await tempFolder()
    const mtime = 1_700_000_000
    const file = (
      path: string,
      content = 'x',
    ): { kind: 'file'; path: string; content: string; mtime: number } => ({
      kind: 'file',
      path,
      content,
      mtime,
    })
    await writeTree(join(temp.path, 'from'), [
      ...[
        'same',
        'longer',
        'older',
        'new',
        'as directory',
        'as link',
        'as fifo',
        'd/in',
        'link/in',
        'file/in',
      ].map((path) => file(path)),
      file('gone/deep/er'),
      { kind: 'symlink', path: 'l same', target: 't' },
      { kind: 'symlink', path: 'l other', target: 't' },
      { kind: 'symlink', path: 'l new', target: 't' },
    ])
    await writeTree(join(temp.path, 'elsewhere'), { in: 'x', 'deep/in': 'y' })
    await writeTree(join(temp.path, 'to'), [
      file('same'),
      file('longer', 'xx'),
      { ...file('older'), mtime: mtime - 1 },
      file('extra'),
      { kind: 'directory', path: 'as directory' },
      { kind: 'symlink', path: 'as link', target: '../elsewhere/in' },
      { kind: 'fifo', path: 'as fifo' },
      file('d/in'),
      { kind: 'symlink', path: 'link', target: '../elsewhere' },
      file('file'),
      { kind: 'symlink', path: 'l same', target: 't' },
      { kind: 'symlink', path: 'l other', target: 'u' },
    ])
    const found = await surveyed(temp.path)
    expect(await fates(found)).toEqual([
      '!d file',
      '!d link',
      '!f as directory',
      '!f as fifo',
      '!f as link',
      '!f file/in',
      '!f link/in',
      '+d gone',
      '+d gone/deep',
      '+f gone/deep/er',
      '+f new',
      '+l l new',
      '=d d',
      '=f d/in',
      '=f same',
      '=l l same',
      '~f longer',
      '~f older',
      '~l l other',
    ])
    expect(Object.fromEntries(found.refused.named.map(({ path, reason }) => [path, reason]))).toEqual({
      'as directory': 'a directory stands in its place',
      'as fifo': 'a special file stands in its place',
      'as link': 'a symlink stands in its place',
      file: 'something that is no directory stands in its place',
      'file/in': 'something that is no directory stands in its path at the destination',
      link: 'a symlink stands in its place',
      'link/in': 'a symlink stands in its path at the destination',
    })
    const followed = await surveyed(temp.path, { followDestinationLinks: true })
    expect(await fates(followed)).toEqual(expect.arrayContaining(['=d link', '~f link/in', '~f as link']))
  })

  test('whole seconds are compared, the last nanoseconds of one included', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { late: '', cut: '', next: '' })
    await cp(join(temp.path, 'from'), join(temp.path, 'to'), { recursive: true })
    const touch = (time: string, path: string): Promise<unknown> =>
      execFilePromise('touch', ['-d', time, join(temp.path, path)])
    await touch('@1700000000.999999999', 'from/late')
    await touch('@1700000000.999999999', 'to/late')
    await touch('@1700000000.999999999', 'from/cut')
    await touch('@1700000000', 'to/cut')
    await touch('@1700000000', 'from/next')
    await touch('@1700000001', 'to/next')
    expect(await fates(await surveyed(temp.path))).toEqual(['=f cut', '=f late', '~f next'])
  })

  test('compare, existing and proof as the plan says', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), [
      { kind: 'file', path: 'f', content: 'a', mtime: 1000 },
      { kind: 'file', path: 'g', content: 'b', mtime: 1000 },
    ])
    await writeTree(join(temp.path, 'to'), [
      { kind: 'file', path: 'f', content: 'b', mtime: 2000 },
      { kind: 'file', path: 'g', content: 'b', mtime: 1000 },
    ])
    const marks = async (asked: Parameters<typeof surveyed>[1], proveAll = false): Promise<string> =>
      (await fates(await surveyed(temp.path, asked, { proveAll })))
        .sort((one, other) => (one.slice(1) < other.slice(1) ? -1 : 1))
        .map((line) => line[0])
        .join('')
    expect(await marks({})).toBe('~=')
    expect(await marks({ compare: 'size' })).toBe('==')
    expect(await marks({ compare: 'checksum' })).toBe('??')
    expect(await marks({ existing: 'keep' })).toBe('-=')
    expect(await marks({ existing: 'keep-newer' })).toBe('-=')
    expect(await marks({ existing: 'error' })).toBe('!=')
    expect(await marks({}, true)).toBe('~?')
  })

  test('never is more looked at than the source names', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { f: '' })
    await writeTree(join(temp.path, 'to'), { f: '', 'secret/x': '' })
    const log = join(temp.path, 'strace')
    const program = join(import.meta.dirname, 'survey-program.ts')
    await execFilePromise('strace', [
      '-f',
      '-e',
      'trace=file',
      '-o',
      log,
      process.execPath,
      '--import',
      'tsx',
      program,
      temp.path,
    ])
    const calls = await readFile(log, 'utf8')
    expect(calls).toContain(`${temp.path}/to/f`)
    expect(calls).not.toContain('secret')
  })
})

describe('symlinks', () => {
  test('skipped by name, or followed with loops and dead ends named', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), [
      { kind: 'file', path: 'd/f', content: 'x' },
      { kind: 'symlink', path: 'to d', target: 'd' },
      { kind: 'symlink', path: 'd/up', target: '..' },
      { kind: 'symlink', path: 'self', target: 'self' },
      { kind: 'symlink', path: 'dead', target: 'nowhere' },
    ])
    const skipped = await surveyed(temp.path, { symlinks: 'skip' })
    expect((await fates(skipped)).filter((line) => line.includes('l '))).toEqual([
      '-l d/up',
      '-l dead',
      '-l self',
      '-l to d',
    ])
    const followed = await surveyed(temp.path, { symlinks: 'follow' })
    expect(await fates(followed)).toEqual(['+d d', '+d to d', '+f d/f', '+f to d/f', '-l dead'])
    expect(followed.skipped.named).toEqual([
      { path: 'dead', reason: 'a symlink that leads nowhere, and the plan says symlinks: follow' },
    ])
    expect(followed.listingErrors.count).toBe(3)
    expect(followed.listingErrors.lines.join('\n')).toMatch(/Too many levels of symbolic links/)
    expect(followed.listingErrors.lines.join('\n')).toMatch(/File system loop detected/)
  })
})
