import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshAvailable } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { compareTrees, listTree } from '../rig/compare.ts'
import { HOSTILE_NAMES, hostileTree } from '../rig/hostile.ts'
import { inside, writeTree, type TreeEntry } from '../rig/tree.ts'
import { lastLines } from './case.ts'
import { openOverSsh } from './ssh-case.ts'

const timeout = 180_000
const transfer = { mode: 'mirror', maxDelete: '100%', tool: 'rsync' }

describe.skipIf(!sshAvailable())('a mirror over SSH', { timeout }, () => {
  let server: SshServer
  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  test('to a server: every name that its disk holds, links as links, and then nothing is left to do', async () => {
    await using at = await openOverSsh(server, {
      way: 'push',
      transfer: { ...transfer, exclude: ['*.lock'] },
    })
    await writeTree(at.from, { a: 'a', 'd/e': 'e' })
    expect((await at.apply()).exitCode).toBe(0)
    await hostileTree(join(at.to, 'too much'))
    await writeTree(at.to, { 'd/kept.lock': 'l', '.soxplan/x': 'x' })
    await writeTree(
      at.to,
      HOSTILE_NAMES.map((name): TreeEntry => ({
        kind: 'file',
        path: Buffer.concat([Buffer.from('d/'), Buffer.from(name)]),
      })),
    )
    const outside = join(at.path, 'outside')
    await writeTree(outside, { mine: 'm' })
    await symlink(outside, inside(at.to, 'd/out'))
    const applied = await at.apply()
    expect(applied.stdout).toContain(`data, to delete in old:${at.to}: `)
    expect(lastLines(applied.stdout, 1)[0]).toMatch(
      new RegExp(
        `^data: nothing was left to copy to old:${at.to}; \\d+ \\(.*\\) deleted; 3 \\(2 B\\) were there`,
      ),
    )
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to)).toEqual([
      'extra: ".soxplan"',
      'extra: ".soxplan/x"',
      'extra: "d/kept.lock"',
    ])
    expect([...(await listTree(outside)).keys()]).toEqual(['mine'])
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('from a server: what it has not goes here', async () => {
    await using at = await openOverSsh(server, { way: 'pull', transfer })
    await writeTree(at.from, { a: 'a', 'd/e': 'e' })
    await writeTree(at.to, { 'old/x': 'x' })
    expect((await at.apply()).exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })

  test('to a server that offers files and no shell, by rclone; its folders stay', async () => {
    await using files = await startSshServer({ shell: false })
    await using at = await openOverSsh(files, { way: 'push', transfer: { ...transfer, tool: 'rclone' } })
    await writeTree(at.from, { a: 'a', 'd/e': 'e' })
    await writeTree(at.to, { a: 'a', 'd/old one': 'o', 'gone/é': 'x' })
    const applied = await at.apply()
    expect(applied.stdout).toContain(
      `data, to delete in old:${at.to}: 2 files (2 B)\n  d/old one\n  gone/é\n`,
    )
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to)).toEqual(['extra: "gone"'])
  })

  test('with an empty source nothing is touched', async () => {
    await using at = await openOverSsh(server, { way: 'push', transfer })
    await writeTree(at.to, { mine: 'm' })
    const refused = await at.apply()
    expect(refused.stderr).toContain(
      `error SX351: transfer data: the source is empty, and \`mode: mirror\` would delete 1 of the 1 entry in old:${at.to} (1 B)`,
    )
    expect(refused.exitCode).toBe(1)
    expect([...(await listTree(at.to)).keys()]).toEqual(['mine'])
  })
})
