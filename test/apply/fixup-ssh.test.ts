import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshAvailable } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { compareTrees } from '../rig/compare.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { lastLines, writePlan } from './case.ts'
import { attributesOf, command, isRoot } from './fixup-case.ts'
import { endpointOf, openOverSsh, planOverSsh, type Way } from './ssh-case.ts'

const OLD = 1_000_000_000

const TREE: readonly TreeEntry[] = [
  { kind: 'file', path: 'plain', content: 'p', mode: 0o640, mtime: OLD },
  { kind: 'file', path: "d/it's [odd]", content: 'o', mode: 0o604, mtime: OLD + 1 },
  { kind: 'file', path: 'd/e/f', content: 'f', mode: 0o400, mtime: OLD + 2 },
  { kind: 'directory', path: 'd/e', mode: 0o500, mtime: OLD + 3 },
  { kind: 'directory', path: 'd', mode: 0o755, mtime: OLD + 4 },
]

describe.skipIf(!sshAvailable())('fixup over SSH', { timeout: 240_000 }, () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  const source = async (folder: string): Promise<void> => {
    await writeTree(folder, TREE)
    if (!isRoot) return
    await command('chown', '-hR', '1234:2345', '--', folder)
    await command('touch', '-d', '@1200000000', '--', folder)
  }

  test.each(['pull', 'push'] satisfies readonly Way[])(
    '%s: rclone copies, rsync sets all attributes; later applies copy nothing',
    async (way) => {
      await using at = await openOverSsh(server, {
        way,
        transfer: { tool: 'rclone', symlinks: 'skip', fixup: {} },
      })
      await source(at.from)
      const first = await at.apply()
      expect(first.stdout).not.toContain('not preserved')
      expect(first.exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
      expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
      // Names of owners are not in a listing of another machine.
      await command('chmod', '600', join(at.to, "d/it's [odd]"))
      const second = await at.apply()
      const to = way === 'pull' ? at.to : `old:${at.to}`
      expect(lastLines(second.stdout, 1)[0]).toBe(`data: attributes of 5 entries set, in ${to}`)
      expect(second.exitCode).toBe(0)
      expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
    },
  )

  test('pull by numbers: a later apply sees that nothing is left to do', async () => {
    const transfer = { tool: 'rsync', fixup: { owners: 'ids' } }
    await using at = await openOverSsh(server, { way: 'pull', transfer })
    await source(at.from)
    const first = await at.apply()
    expect(first.stdout).toContain('by rsync; owners and groups by number\n')
    expect(first.exitCode).toBe(0)
    expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('a copy between disks gets its modes from a server; one file too', async () => {
    await using at = await openOverSsh(server, { way: 'pull' })
    const origin = join(at.path, 'origin')
    await source(origin)
    await writeTree(at.from, { plain: 'P', "d/it's [odd]": 'O', 'd/e/f': 'F' })
    const endpoints = { old: endpointOf(server) }
    const fixup = { from: `old:${origin}`, preserve: ['owner', 'group', 'permissions'] }
    await writePlan(at.path, {
      endpoints,
      transfers: { data: { from: at.from, to: at.to, tool: 'rclone', fixup } },
    })
    const { exitCode, stdout } = await at.apply()
    expect(stdout).toContain(`as in old:${origin}, by rsync`)
    expect(exitCode).toBe(0)
    expect(await attributesOf(at.to, '%m %U %G')).toEqual(await attributesOf(origin, '%m %U %G'))
    expect(await readFile(join(at.to, 'd/e/f'), 'utf8')).toBe('F')
    await planOverSsh(at, server, {
      way: 'push',
      transfer: { from: join(origin, 'plain'), to: `old:${at.to}/one 'file'`, tool: 'rclone', fixup: {} },
    })
    expect((await at.apply()).exitCode).toBe(0)
    expect(await command('stat', '-c', '%a %u', join(at.to, "one 'file'"))).toBe(
      isRoot ? '640 1234\n' : `640 ${process.getuid?.() ?? ''}\n`,
    )
  })
})
