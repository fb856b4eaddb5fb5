import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scanManifest } from '../../src/edge/manifest-file.ts'
import { shown } from '../inventory/records.ts'
import { sshAvailable } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { tempFolder } from '../rig/folder.ts'
import { hostileTree } from '../rig/hostile.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { complaint, fates, surveyed } from './survey-rig.ts'
import { onServer, serverIn } from './survey-servers.ts'

describe.skipIf(!sshAvailable())('a server over SSH', () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  describe('as a source', () => {
    test('is listed as a disk is: every byte of every name, every kind, size, time and link', async () => {
      await using temp = await tempFolder()
      await hostileTree(join(temp.path, 'from'))
      const there = await surveyed(temp.path, { from: serverIn(server, temp.path)('from') })
      const lines = await fates(there)
      const records = async (): Promise<unknown> => {
        const seen: unknown[] = []
        await scanManifest(join(temp.path, 'code.gz'), (view) => seen.push(shown(view)))
        return seen.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      }
      const overSsh = await records()
      const here = await surveyed(temp.path)
      expect(lines).toEqual(await fates(here))
      expect(overSsh).toEqual(await records())
      expect(lines.length).toBeGreaterThan(180)
      expect(there).toMatchObject({
        comparison: 'size+mtime',
        hasMtime: true,
        sourceKind: 'directory',
        skipped: here.skipped,
        largest: here.largest,
      })
      expect(there.notUtf8.count).toBe(here.notUtf8.count)
      expect(there.tree.hasHardLinks).toBe(true)
    })

    test('may have any path, also one below the home there', async () => {
      await using temp = await tempFolder()
      const name = ' -n "$(touch X)\' *\n%h; \\'
      await writeTree(join(temp.path, name), { f: '' })
      const place = serverIn(server, temp.path)
      expect(await fates(await surveyed(temp.path, { from: place(name) }))).toEqual(['+f f'])
      const fromHome = relative(userInfo().homedir, join(temp.path, name))
      expect(await fates(await surveyed(temp.path, { from: onServer(server, fromHome) }))).toEqual(['+f f'])
    })

    test('filters are applied here', async () => {
      await using temp = await tempFolder()
      await writeTree(join(temp.path, 'from'), { 'a.txt': '', 'tmp/b.txt': '', 'c.bin': '' })
      const from = serverIn(server, temp.path)('from')
      const found = await surveyed(temp.path, { from, include: ['**/*.txt'], exclude: ['tmp/**'] })
      expect((await fates(found)).filter((line) => line.includes('f '))).toEqual(['+f a.txt'])
      expect(found.filtered).toBe(3)
    })

    test('symlinks are kept, followed or skipped, and a source that is one is followed', async () => {
      await using temp = await tempFolder()
      await writeTree(join(temp.path, 'from'), [
        { kind: 'file', path: 'd/f', content: 'abc' },
        { kind: 'symlink', path: 'file', target: 'd/f' },
        { kind: 'symlink', path: 'folder', target: 'd' },
        { kind: 'symlink', path: 'nowhere', target: 'x' },
      ])
      await symlink('from', join(temp.path, 'also'))
      const from = serverIn(server, temp.path)('also')
      expect(await fates(await surveyed(temp.path, { from }))).toEqual([
        '+d d',
        '+f d/f',
        '+l file',
        '+l folder',
        '+l nowhere',
      ])
      expect(await fates(await surveyed(temp.path, { from, symlinks: 'skip' }))).toEqual([
        '+d d',
        '+f d/f',
        '-l file',
        '-l folder',
        '-l nowhere',
      ])
      expect(await fates(await surveyed(temp.path, { from, symlinks: 'follow' }))).toEqual([
        '+d d',
        '+d folder',
        '+f d/f',
        '+f file',
        '+f folder/f',
        '-l nowhere',
      ])
    })

    test('that is one file has its name and lands under it, or under a new one', async () => {
      await using temp = await tempFolder()
      await writeTree(temp.path, { 'from/a file': 'abc' })
      const from = serverIn(server, temp.path)('from/a file')
      const renamed = await surveyed(temp.path, { from, to: 'new' })
      expect(await fates(renamed)).toEqual(['+f a file'])
      expect(renamed).toMatchObject({
        sourceKind: 'file',
        sourceRoot: { kind: 'ssh', path: join(temp.path, 'from') },
        single: { from: 'a file', to: 'new' },
      })
      const inside = await surveyed(temp.path, { from, to: 'folder', toIsDirectory: true })
      expect(inside.single).toEqual({ from: 'a file', to: 'a file' })
    })

    test('that is not there, leads nowhere, or is a FIFO is named', async () => {
      await using temp = await tempFolder()
      const place = serverIn(server, temp.path)
      const shown = async (name: string): Promise<string> => complaint(temp.path, { from: place(name) })
      expect(await shown('none')).toBe('SX201 the source old:…/none does not exist')
      await symlink('none', join(temp.path, 'dangling'))
      expect(await shown('dangling')).toBe(
        'SX201 the source old:…/dangling does not exist; It is a symlink that leads nowhere.',
      )
      await promisify(execFile)('mkfifo', [join(temp.path, 'fifo')])
      expect(await shown('fifo')).toBe('SX203 the source old:…/fifo is neither a file nor a directory')
    })

    test('whose find gives up is no listing, and what it can not read is named', async () => {
      await using temp = await tempFolder()
      await writeTree(join(temp.path, 'from'), { a: '' })
      const bin = join(temp.path, 'bin')
      const real = '/usr/bin/find'
      const say = (end: string): Promise<unknown> =>
        puppet(bin, 'find', `[[ $1 == --version ]] && exec ${real} --version\n${real} "$@"\n${end}`)
      await using other = await startSshServer({
        environment: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
      })
      const from = onServer(other, join(temp.path, 'from'))
      await say(`echo "find: './shut': Permission denied" >&2; exit 1`)
      const part = await surveyed(temp.path, { from })
      expect(part.listingErrors).toEqual({ count: 1, lines: ["'./shut': Permission denied"] })
      expect(await fates(part)).toEqual(['+f a'])
      await say('echo "find: out of memory" >&2; exit 2')
      expect(await complaint(temp.path, { from })).toBe(
        'SX205 cannot list old:…/from with find: it ended with exit code 2; out of memory',
      )
    })
  })

  test('names that rclone would change on the way are refused by name when the plan wants rclone', async () => {
    await using temp = await tempFolder()
    await hostileTree(join(temp.path, 'from'))
    const from = serverIn(server, temp.path)('from')
    const byRsync = await surveyed(temp.path, { from })
    const odd = byRsync.oddNames
    expect(odd).toBeGreaterThan(10)
    expect(byRsync.refused.count).toBe(0)
    const byRclone = await surveyed(temp.path, { from, tool: 'rclone' })
    expect(byRclone.refused.count).toBe(odd)
    expect(byRclone.refused.named[0]?.reason).toBe(
      'rclone can not carry its name over SSH as it is; rsync can',
    )
    const refused = (await fates(byRclone)).filter((line) => line.startsWith('!'))
    expect(refused).toEqual(expect.arrayContaining(['!f new\nline', '!f latin\xe9']))
    expect(refused.some((line) => line.includes('plain/'))).toBe(false)
  })
})

describe.skipIf(!sshAvailable())('a server without a shell', () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer({ shell: false })
  })
  afterAll(async () => {
    await server.close()
  })

  test('is listed by rclone over SFTP, as a source and as a destination', async () => {
    await using temp = await tempFolder()
    const files = { 'a b': 'one', "it's": 'two', 'd/c,d:e"f': 'three' }
    await writeTree(join(temp.path, 'from'), files)
    await promisify(execFile)('cp', ['-a', join(temp.path, 'from'), join(temp.path, 'to')])
    const place = serverIn(server, temp.path)
    const found = await surveyed(temp.path, { from: place('from'), to: 'new' })
    expect(found.sourceRoot.kind).toBe('sftp')
    expect(found).toMatchObject({ hasMtime: true, comparison: 'size+mtime' })
    expect(await fates(found)).toEqual(['+d d', '+f a b', '+f d/c,d:e"f', "+f it's"])
    const back = await surveyed(temp.path, { to: place('to') })
    expect(back.destinationRoot.kind).toBe('sftp')
    expect(await fates(back)).toEqual(['-d d', '=f a b', '=f d/c,d:e"f', "=f it's"])
    expect(await complaint(temp.path, { from: place('none') })).toBe(
      'SX201 the source old:…/none does not exist',
    )
  })

  test('has names that rclone can not give back as they are: refused by name', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), [
      { kind: 'file', path: 'plain' },
      { kind: 'file', path: 'new\nline' },
      { kind: 'file', path: Buffer.from([0x6c, 0xe9]) },
    ])
    const found = await surveyed(temp.path, { from: serverIn(server, temp.path)('from') })
    const lines = await fates(found)
    expect(lines.filter((line) => line.startsWith('+'))).toEqual(['+f plain'])
    expect(lines.filter((line) => line.startsWith('!'))).toHaveLength(2)
  })

  test('that nobody may log in to is named as such', async () => {
    await using temp = await tempFolder()
    const from = onServer(server, '/', { key: server.keys.stranger })
    expect(await complaint(temp.path, { from })).toMatch(/^SX223 /)
  })
})
