import { chmod, lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshAvailable } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { compareTrees } from '../rig/compare.ts'
import { hostileTree } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines } from './case.ts'
import { carriers, openOverSsh, planOverSsh, type Way } from './ssh-case.ts'

const WAYS: readonly Way[] = ['pull', 'push']

/** Everything that every carrier delivers. */
const PLAIN = {
  'a b': 'one',
  "it's": 'two',
  '-dash': '3',
  '#h': '4',
  'd/e/f': Buffer.alloc(300_000, 7),
  'd/[x]{y}*?': '5',
  'd/caf\u00e9, "q"; $(touch X)': '6',
  'd/empty': '',
}

// An apply logs in a dozen times.
const timeout = 180_000

describe.skipIf(!sshAvailable())('over SSH', { timeout }, () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  describe.each(carriers().filter(({ available }) => available))('with $title', ({ tool, more }) => {
    test.each(WAYS)(
      '%s: bytes, times and modes; a second apply finds nothing; damage is mended',
      async (way) => {
        await using at = await openOverSsh(server, { way, transfer: { tool }, more })
        await writeTree(at.from, PLAIN)
        await mkdir(join(at.from, 'd/no entry/in it'), { recursive: true })
        await chmod(join(at.from, 'd/e'), 0o750)
        await chmod(join(at.from, 'a b'), 0o640)
        await chmod(join(at.from, "it's"), 0o755)
        const first = await at.apply()
        const to = way === 'pull' ? at.to : `old:${at.to}`
        expect(lastLines(first.stdout, 1)[0]).toBe(
          `data: 12 entries (293.0 KiB) delivered, verified by name, size and modification time, in ${to}`,
        )
        expect(first.exitCode).toBe(0)
        expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
        const second = await at.apply()
        expect(lastLines(second.stdout, 1)).toEqual(['Nothing is left to do.'])
        expect(second).toMatchObject({ exitCode: 0, stderr: '' })
        await writeFile(join(at.to, 'd/e/f'), 'damaged')
        await utimes(join(at.to, '#h'), 1, 1)
        const third = await at.apply()
        expect(third.stdout).toContain('  ~ changed  2 files (293.0 KiB)\n')
        expect(third.exitCode).toBe(0)
        expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
      },
    )

    test('one file, under its own name in a folder and under a new one', async () => {
      await using at = await openOverSsh(server, { way: 'pull', more })
      await writeTree(at.from, { 'a file': 'one' })
      const deliver = async (way: Way, from: string, to: string): Promise<number> => {
        await planOverSsh(at, server, { way, transfer: { tool, from, to }, more })
        return (await at.apply()).exitCode
      }
      expect(await deliver('pull', `old:${at.from}/a file`, `${at.to}/folder/`)).toBe(0)
      expect(await deliver('push', `${at.from}/a file`, `old:${at.to}/new 'name'`)).toBe(0)
      expect(await readFile(join(at.to, 'folder/a file'), 'utf8')).toBe('one')
      expect(await readFile(join(at.to, "new 'name'"), 'utf8')).toBe('one')
    })

    test('verify: checksum reads both sides, and finds what size and time do not tell', async () => {
      await using at = await openOverSsh(server, {
        way: 'push',
        transfer: { tool, verify: 'checksum' },
        more,
      })
      await writeTree(at.from, PLAIN)
      const first = await at.apply()
      expect(lastLines(first.stdout, 1)[0]).toContain(
        ' delivered, verified by name, size and content hash, in ',
      )
      expect(first.exitCode).toBe(0)
      const { mtime } = await lstat(join(at.from, 'a b'))
      await writeFile(join(at.to, 'a b'), 'ONE')
      await utimes(join(at.to, 'a b'), mtime, mtime)
      const second = await at.apply()
      expect(second.exitCode).toBe(1)
      expect(second.stdout).toContain('  a b: differs')
    })

    test('never writes through a symlinked directory on the server', async () => {
      await using at = await openOverSsh(server, { way: 'push', transfer: { tool }, more })
      await writeTree(at.from, { 'd/f': 'x', g: 'x' })
      await mkdir(join(at.path, 'elsewhere'))
      await mkdir(at.to)
      await symlink('../elsewhere', join(at.to, 'd'))
      const { exitCode, stdout } = await at.apply()
      expect(exitCode).toBe(1)
      expect(stdout).toContain('d/f: refused, because a symlink stands in its path at the destination')
      expect(await readdir(join(at.path, 'elsewhere'))).toEqual([])
      expect(await readFile(join(at.to, 'g'), 'utf8')).toBe('x')
    })
  })

  describe('with rsync', () => {
    test.each(WAYS)('%s: the hostile tree arrives byte for byte, hard links too', async (way) => {
      await using at = await openOverSsh(server, { way })
      await hostileTree(at.from)
      const first = await at.apply()
      expect(first.exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual(['missing: "fifo"'])
      const names = ['hard/one', 'hard/two', 'plain/three']
      const files = await Promise.all(names.map((name) => lstat(join(at.to, name))))
      expect(new Set(files.map(({ ino }) => ino)).size).toBe(1)
      expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
    })

    test('hostile names of the folders themselves', async () => {
      const odd = ' -n "$(touch X)\' *\n%h; \\'
      for (const way of WAYS) {
        await using at = await openOverSsh(server, { way })
        const [from, to] = [`${at.path}/${odd}/from`, `${at.path}/${odd}/to`]
        await writeTree(from, { 'd/f': 'x' })
        const transfer = way === 'pull' ? { from: `old:${from}`, to } : { from, to: `old:${to}` }
        await planOverSsh(at, server, { way, transfer: { ...transfer, verify: 'checksum' } })
        expect((await at.apply()).exitCode).toBe(0)
        expect(await compareTrees(from, to, { mtimes: true })).toEqual([])
      }
    })

    test('symlinks are kept, followed and skipped', async () => {
      for (const [symlinks, found] of [
        ['keep', ['link', 'f']],
        ['follow', ['file', 'f']],
        ['skip', ['absent', 'f']],
      ] as const) {
        await using at = await openOverSsh(server, { way: 'pull', transfer: { symlinks } })
        await writeTree(at.from, { f: 'x' })
        await symlink('f', join(at.from, 'l'))
        expect((await at.apply()).exitCode).toBe(0)
        const sort = await lstat(join(at.to, 'l')).then(
          (entry) => (entry.isSymbolicLink() ? 'link' : 'file'),
          () => 'absent',
        )
        expect([sort, ...(await readdir(at.to)).filter((name) => name === 'f')]).toEqual(found)
      }
    })
  })
})
