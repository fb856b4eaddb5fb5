import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshAvailable } from '../lab/available.ts'
import { startProxy, type Proxy } from '../lab/proxy.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { isThere, named, realProgram, TOOLS, until, withVariables, type Case } from '../apply/case.ts'
import { openOverSsh, type Way } from '../apply/ssh-case.ts'

const MIB = 2 ** 20

describe.skipIf(!sshAvailable())('a bad line to a server', { timeout: 240_000 }, () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  /** A case whose server is reached through a proxy. */
  async function throughProxy(way: Way, tool: string): Promise<Case & { readonly proxy: Proxy }> {
    const proxy = await startProxy(server.port)
    const knownHosts = await server.knownHostsAt(proxy.port)
    const at = await openOverSsh(server, {
      way,
      transfer: { tool },
      endpoint: { port: proxy.port, knownHosts },
    })
    return {
      ...at,
      proxy,
      [Symbol.asyncDispose]: async () => {
        await proxy.close()
        await at[Symbol.asyncDispose]()
      },
    }
  }

  test.each(TOOLS.flatMap((tool) => (['pull', 'push'] as const).map((way) => [tool, way] as const)))(
    'cut in the middle of a file, %s tries again: %s',
    async (tool, way) => {
      await using at = await throughProxy(way, tool)
      await writeTree(at.from, { big: randomBytes(12 * MIB), small: 'small' })
      at.proxy.throttle(8 * MIB)
      const running = at.start()
      await until(() => at.proxy.passedBytes > 6 * MIB)
      at.proxy.cut()
      // rclone before 1.63 has no other name for half a file.
      if (tool === 'rsync') expect(await isThere(join(at.to, 'big'))).toBe(false)
      at.proxy.throttle(Infinity)
      const { exitCode, stdout } = await running.ended
      expect(stdout).toContain('data: 2 entries (12.0 MiB) delivered, verified by ')
      expect(exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
      // What had come over is not sent again.
      if (tool === 'rsync') expect(at.proxy.passedBytes).toBeLessThan(16 * MIB)
    },
  )

  test('a server that goes away is named; once it is back, what is proven is not copied again', async () => {
    await using at = await throughProxy('pull', 'rsync')
    const files = Array.from({ length: 12 }, (_, index) => [`d${index}/f`, randomBytes(MIB)] as const)
    await writeTree(at.from, Object.fromEntries(files))
    at.proxy.throttle(4 * MIB)
    const env = withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' })
    const running = at.start(['--slots', '1'], { env })
    await until(() => at.proxy.passedBytes > 6 * MIB)
    at.proxy.refuse()
    at.proxy.cut()
    const { exitCode, stdout } = await running.ended
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(
      /\n {2}\d+ entries not accounted for: a server or a remote could not be reached any more; apply again once it answers\n/,
    )
    expect((await readdir(at.to)).length).toBeGreaterThan(1)
    const away = await at.apply()
    expect(away.exitCode).toBe(1)
    expect(away.stderr).toContain('error SX225: endpoint old (127.0.0.1 port ')
    await at.proxy.accept()
    at.proxy.throttle(Infinity)
    const before = at.proxy.passedBytes
    expect((await at.apply([], { env })).exitCode).toBe(0)
    expect(at.proxy.passedBytes - before).toBeLessThan(9 * MIB)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })

  test('what vanished and what changed at the source is named', async () => {
    for (const tool of TOOLS) {
      await using at = await openOverSsh(server, { way: 'pull', transfer: { tool } })
      await writeTree(at.from, { gone: 'x', grown: 'x', good: 'x' })
      const real = await realProgram(tool)
      const script = `case "$1" in version | --version) exec ${real} "$@" ;; esac
        rm -f ${at.from}/gone; echo more >${at.from}/grown; exec ${real} "$@"`
      const env = await puppet(join(at.path, 'bin'), tool, script, withVariables({}))
      const { exitCode, stdout } = await at.apply([], { env })
      expect(exitCode).toBe(1)
      expect(named(stdout)).toEqual([
        'gone: was removed from the source after the listing; apply again if that was not meant',
        'grown: changed at the source after the listing; apply again once it stands still',
      ])
    }
  })
})
