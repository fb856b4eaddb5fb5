import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whyNoSsh } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { compareTrees } from '../rig/compare.ts'
import { writeTree } from '../rig/tree.ts'
import { carriers, openOverSsh, type Carrier, type ServerPlan, type Way } from './ssh-case.ts'

const tooOld = /error SX409: rclone \S+ cannot reach old:\S+ over a jump host: 1\.64 or newer is needed\n/

/** Only newer ones can be told of a server on the way. */
function knowsJumps({ tool, title }: Carrier): boolean {
  return tool === 'rsync' || !title.includes('installed')
}

describe.skipIf(whyNoSsh() !== undefined)('over a server on the way', () => {
  let gate: SshServer
  let inner: SshServer
  let sftpOnly: SshServer
  let knownHosts: string
  beforeAll(async () => {
    gate = await startSshServer()
    const settings = { AuthorizedKeysFile: join(gate.folder, 'authorized_keys') }
    inner = await startSshServer({ settings })
    sftpOnly = await startSshServer({ settings, shell: false })
    knownHosts = join(gate.folder, 'known_hosts.all')
    const known = await Promise.all(
      [gate, inner, sftpOnly].map((server) => readFile(server.knownHosts.right, 'utf8')),
    )
    await writeFile(knownHosts, known.join(''))
  })
  afterAll(async () => {
    await Promise.all([gate, inner, sftpOnly].map((server) => server.close()))
  })

  const endpoint = (): Readonly<Record<string, unknown>> => ({
    key: gate.keys.good,
    knownHosts,
    jump: `${gate.user}@${gate.host}:${gate.port}`,
  })

  const there = carriers().filter(({ available }) => available)

  describe.each(there.filter(knowsJumps))('with $title', ({ tool, more }) => {
    test.each(['pull', 'push'] as const)('%s', async (way: Way) => {
      await using at = await openOverSsh(inner, { way, transfer: { tool }, endpoint: endpoint(), more })
      await writeTree(at.from, { 'a/one': '1', 'a/b/two words': '22', '-dash': '' })
      await Promise.all([gate.forget(), inner.forget()])
      const done = await at.apply()
      expect(done).toMatchObject({ exitCode: 0 })
      expect(await compareTrees(at.from, at.to)).toEqual([])
      // Every login at the inner server came through the other one.
      const [onTheWay, within] = [await gate.counts(), await inner.counts()]
      expect(within.logins).toBeGreaterThan(0)
      expect(onTheWay.logins).toBe(within.logins)
    })
  })

  describe.each(there.filter(({ tool }) => tool === 'rclone'))('with $title', (carrier) => {
    const { tool, more } = carrier
    const plan = (): ServerPlan => ({ way: 'push', transfer: { tool }, endpoint: endpoint(), more })

    test('a server without a shell, too, unless this rclone is too old', async () => {
      await using at = await openOverSsh(sftpOnly, plan())
      await writeTree(at.from, { 'a/one': '1', 'two words': '22' })
      const done = await at.apply()
      if (knowsJumps(carrier)) {
        expect(done).toMatchObject({ exitCode: 0 })
        expect(await compareTrees(at.from, at.to)).toEqual([])
      } else expect(done.stderr).toMatch(tooOld)
    })
  })

  describe.each(there.filter((carrier) => !knowsJumps(carrier)))('with $title', ({ tool, more }) => {
    test('is refused before anything moves', async () => {
      await using at = await openOverSsh(inner, {
        way: 'push',
        transfer: { tool },
        endpoint: endpoint(),
        more,
      })
      await writeTree(at.from, { one: '1' })
      const done = await at.apply()
      expect(done.exitCode).toBe(1)
      expect(done.stderr).toMatch(tooOld)
    })
  })

  test('auto goes by rsync, and says why', async () => {
    await using at = await openOverSsh(inner, { way: 'pull', endpoint: endpoint() })
    await writeTree(at.from, { one: '1' })
    const planned = await at.plan()
    expect(planned.stdout).toContain('rsync')
    const dead = { ...endpoint(), jump: `${gate.user}@${gate.host}:1` }
    await using other = await openOverSsh(inner, { way: 'pull', endpoint: dead })
    await writeTree(other.from, { one: '1' })
    const refused = await other.plan()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/error SX22\d: /)
  })
})
