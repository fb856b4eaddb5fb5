import { chmod, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { complaint, fates, surveyed, surveyIn } from './survey-rig.ts'

describe('one file', () => {
  test.each<[string, Parameters<typeof surveyed>[1], string, string]>([
    ['gets the name of `to`', { to: 'new name' }, '', 'new name'],
    [
      'lands in a `to` with a closing slash',
      { to: 'new folder', toIsDirectory: true },
      '/new folder',
      'a file',
    ],
    ['lands in a `to` that is a directory', { to: 'folder' }, '/folder', 'a file'],
  ])('%s', async (_, asked, root, name) => {
    await using temp = await tempFolder()
    await writeTree(temp.path, { 'a file': 'x', another: 'y' })
    await mkdir(join(temp.path, 'folder'))
    const found = await surveyed(temp.path, { from: 'a file', ...asked })
    expect(await fates(found)).toEqual(['+f a file'])
    expect(found).toMatchObject({
      sourceKind: 'file',
      sourceRoot: { path: temp.path },
      destinationRoot: { path: temp.path + root },
      single: { from: 'a file', to: name },
      sample: 'a file',
    })
  })

  test('is compared under its new name', async () => {
    await using temp = await tempFolder()
    await writeTree(temp.path, [
      { kind: 'file', path: 'one', content: 'x', mtime: 1000 },
      { kind: 'file', path: 'two', content: 'x', mtime: 1000 },
    ])
    expect(await fates(await surveyed(temp.path, { from: 'one', to: 'two' }))).toEqual(['=f one'])
    await utimes(join(temp.path, 'two'), 5, 5)
    expect(await fates(await surveyed(temp.path, { from: 'one', to: 'two' }))).toEqual(['~f one'])
  })

  test('behind a symlink keeps the name that the user wrote', async () => {
    await using temp = await tempFolder()
    await writeTree(temp.path, { 'store/v1.2': 'x' })
    await symlink('store/v1.2', join(temp.path, 'current'))
    const found = await surveyed(temp.path, { from: 'current', to: 'out', toIsDirectory: true })
    expect(await fates(found)).toEqual(['+f v1.2'])
    expect(found.single).toEqual({ from: 'v1.2', to: 'current' })
  })
})

describe('what can not be surveyed', () => {
  test('is said with a code, and leaves no manifest behind', async () => {
    await using temp = await tempFolder()
    await writeTree(temp.path, { 'd/x': '', file: '' })
    await writeTree(temp.path, [
      { kind: 'fifo', path: 'fifo' },
      { kind: 'symlink', path: 'dead', target: 'nowhere' },
    ])
    expect(await complaint(temp.path, { from: 'none' })).toBe('SX201 the source …/none does not exist')
    expect(await complaint(temp.path, { from: 'file/x' })).toBe('SX201 the source …/file/x does not exist')
    expect(await complaint(temp.path, { from: 'dead' })).toBe(
      'SX201 the source …/dead does not exist; It is a symlink that leads nowhere.',
    )
    expect(await complaint(temp.path, { from: 'fifo' })).toBe(
      'SX203 the source …/fifo is neither a file nor a directory',
    )
    expect(await complaint(temp.path, { from: 'd', to: 'file' })).toBe(
      'SX301 the destination …/file is not a directory',
    )
    expect(await complaint(temp.path, { from: 'd', to: 'file/x' })).toBe(
      'SX301 the destination …/file/x is not a directory; Something on the way to it is a file.',
    )
    expect(await readdir(temp.path)).not.toContain('code.gz')
  })

  test('a destination that a symlink leads into the source', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'from/sub'), { recursive: true })
    await symlink('from/sub', join(temp.path, 'to'))
    expect(await complaint(temp.path, {})).toContain('SX303 the destination …/to lies in the source …/from')
    await writeFile(join(temp.path, 'file'), '')
    await symlink('file', join(temp.path, 'alias'))
    expect(await complaint(temp.path, { from: 'file', to: 'alias' })).toContain('SX303')
  })

  test('directories that may not be read are named, the rest is listed', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { 'open/f': '', 'shut\n/f': '' })
    await chmod(temp.path, 0o755)
    await chmod(join(temp.path, 'from/shut\n'), 0o700)
    // Root reads everything, so find runs as somebody else.
    const drop = process.getuid?.() === 0 ? 'setpriv --reuid=65534 --regid=65534 --clear-groups' : ''
    if (drop === '') await chmod(join(temp.path, 'from/shut\n'), 0)
    const env = await puppet(join(temp.path, 'bin'), 'find', `exec ${drop} /usr/bin/find "$@"`)
    const found = await surveyed(temp.path, {}, { env })
    expect(await fates(found)).toEqual(['+d open', '+d shut\n', '+f open/f'])
    expect(found.listingErrors.count).toBe(1)
    expect(found.listingErrors.lines[0]).toMatch(/^'.*from\/shut\\n': Permission denied$/)
  })

  test('find is missing, fails without a word, or is no find', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'from'))
    const bin = join(temp.path, 'bin')
    expect(await complaint(temp.path, {}, { env: { PATH: join(temp.path, 'nothing') } })).toBe(
      'SX205 cannot list …/from with find: ENOENT',
    )
    const silent = await puppet(bin, 'find', 'exit 3')
    expect(await complaint(temp.path, {}, { env: silent })).toBe(
      'SX205 cannot list …/from with find: it ended with exit code 3',
    )
    const killed = await puppet(bin, 'find', 'kill -TERM $$')
    expect(await complaint(temp.path, {}, { env: killed })).toBe(
      'SX205 cannot list …/from with find: it was ended by SIGTERM',
    )
    const other = await puppet(bin, 'find', 'echo BusyBox')
    expect(await complaint(temp.path, {}, { env: other })).toBe(
      'SX207 the listing of …/from has a malformed record at byte 0',
    )
  })

  test('a manifest that can not be written', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { f: '' })
    const manifestPath = join(temp.path, 'no folder/code.gz')
    expect(await complaint(temp.path, {}, { manifestPath })).toMatch(
      /^SX321 cannot write the manifest .*ENOENT/,
    )
    const full = join(temp.path, 'full.gz')
    await symlink('/dev/full', `${full}.part`)
    expect(await complaint(temp.path, {}, { manifestPath: full })).toMatch(/^SX321 .*ENOSPC/)
  })
})

describe('being stopped', () => {
  test('ends the listing, removes the manifest and throws the reason', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'from'))
    const env = await puppet(
      join(temp.path, 'bin'),
      'find',
      `printf 'f 1 - 0 0 1 - - - x\\0\\0'; echo $$ > ${temp.path}/pid; exec sleep 60`,
    )
    const control = new AbortController()
    const stopped = surveyIn(
      temp.path,
      {},
      {
        env,
        signal: control.signal,
        onProgress: (entries) => {
          if (entries > 0) control.abort(new Error('enough'))
        },
      },
    )
    await expect(stopped).rejects.toThrow('enough')
    expect(await readdir(temp.path)).not.toContain('code.gz.part')
  })
})
