import { randomBytes } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { awsAvailable, s3Available, sshAvailable } from './lab/available.ts'
import { run, type CommandResult } from './lab/command.ts'
import { startHttpPuppet } from './lab/http-puppet.ts'
import { startProxy } from './lab/proxy.ts'
import { rcloneVersions } from './lab/rclone.ts'
import { countRequests } from './lab/s3-requests.ts'
import { startS3Server, type S3Server } from './lab/s3.ts'
import { startSshServer, type SshServer } from './lab/ssh.ts'
import { compareTrees } from './rig/compare.ts'
import { tempFolder } from './rig/folder.ts'
import { writeTree } from './rig/tree.ts'

const MEBIBYTE = 2 ** 20

describe.skipIf(!sshAvailable())('a proxy before sshd', () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  async function sshThrough(port: number, command: string): Promise<CommandResult> {
    const knownHosts = await server.knownHostsAt(port)
    const options = ['-p', String(port), '-o', `UserKnownHostsFile=${knownHosts}`]
    return run('ssh', [...options, ...server.clientOptions, server.host, command], process.env)
  }

  test('passes on, refuses, and passes on again', async () => {
    await using proxy = await startProxy(server.port)
    expect(await sshThrough(proxy.port, 'echo hello')).toMatchObject({ exitCode: 0, stdout: 'hello\n' })
    proxy.refuse()
    const refused = await sshThrough(proxy.port, 'true')
    expect(refused.exitCode).toBe(255)
    expect(refused.stderr).toContain('Connection refused')
    await proxy.accept()
    proxy.delay(20)
    expect(await sshThrough(proxy.port, 'echo hello')).toMatchObject({ exitCode: 0, stdout: 'hello\n' })
    expect(proxy.connections).toBe(2)
  })

  test('cuts once after so many bytes', async () => {
    await using proxy = await startProxy(server.port)
    await using temp = await tempFolder()
    await writeFile(join(temp.path, 'big'), randomBytes(4 * MEBIBYTE))
    proxy.cutAfter(MEBIBYTE)
    const cut = await sshThrough(proxy.port, `cat '${temp.path}/big'`)
    expect(cut.exitCode).toBe(255)
    expect(cut.stdout.length).toBeLessThan(MEBIBYTE)
    expect(await sshThrough(proxy.port, `wc -c <'${temp.path}/big'`)).toMatchObject({
      exitCode: 0,
      stdout: `${4 * MEBIBYTE}\n`,
    })
  })

  test('cuts now, in the middle of a slow transfer that can go on later', async () => {
    await using proxy = await startProxy(server.port)
    await using temp = await tempFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    await writeTree(from, { big: randomBytes(4 * MEBIBYTE) })
    const knownHosts = await server.knownHostsAt(proxy.port)
    const options = ['-p', String(proxy.port), '-o', `UserKnownHostsFile=${knownHosts}`]
    const shell = ['ssh', ...options, ...server.clientOptions].join(' ')
    const args = ['-a', '--partial', '-e', shell, `${server.host}:${from}/`, to]
    proxy.throttle(MEBIBYTE)
    const first = run('rsync', args, process.env)
    await expect.poll(() => proxy.passedBytes, { timeout: 20_000 }).toBeGreaterThan(MEBIBYTE)
    proxy.cut()
    expect([12, 255]).toContain((await first).exitCode)
    expect((await stat(join(to, 'big'))).size).toBeLessThan(4 * MEBIBYTE)
    proxy.throttle(Infinity)
    expect(await run('rsync', args, process.env)).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(from, to)).toEqual([])
  })
})

describe.skipIf(!s3Available())('an HTTP puppet before S3', () => {
  let server: S3Server

  beforeAll(async () => {
    server = await startS3Server()
    await server.makeBucket('bucket')
    for (const key of ['a', 'b/c', 'b/d e']) await server.putObject('bucket', key, `content of ${key}`)
  })
  afterAll(async () => {
    await server.close()
  })

  for (const rclone of rcloneVersions()) {
    test.skipIf(!rclone.available)(`makes the ${rclone.name} rclone try again`, async () => {
      await using puppet = await startHttpPuppet(server.port)
      await using temp = await tempFolder()
      const conf = ['--config', await server.rcloneConfAt(puppet.port)]
      await writeTree(join(temp.path, 'from'), { 'a b': 'one', big: randomBytes(3 * MEBIBYTE) })
      puppet.answer({ error: 'SlowDown', times: 2, method: 'PUT', path: /^\/bucket\/up\// })
      const up = [...conf, 'copy', join(temp.path, 'from'), 'store:bucket/up']
      expect(await server.run(rclone.program, ...up)).toMatchObject({ exitCode: 0 })
      expect(puppet.answered).toBe(2)
      puppet.answer({ error: 'SlowDown', times: 1, method: 'GET', path: /prefix=up/ })
      const down = [...conf, 'copy', 'store:bucket/up', join(temp.path, 'to')]
      expect(await server.run(rclone.program, ...down)).toMatchObject({ exitCode: 0 })
      expect(puppet.answered).toBe(3)
      expect(await compareTrees(join(temp.path, 'from'), join(temp.path, 'to'))).toEqual([])
    })

    test.skipIf(!rclone.available)(`denies the ${rclone.name} rclone one object`, async () => {
      await using puppet = await startHttpPuppet(server.port)
      await using temp = await tempFolder()
      puppet.answer({ error: 'AccessDenied', times: Infinity, path: /^\/bucket\/b\/c/ })
      await server.forget()
      const conf = ['--config', await server.rcloneConfAt(puppet.port)]
      const copy = [...conf, '--retries=1', 'copy', 'store:bucket/b', temp.path]
      const done = await server.run(rclone.program, ...copy)
      expect(done.exitCode).toBe(1)
      expect(done.stderr).toContain('AccessDenied')
      expect(countRequests(await server.requests())).toEqual({ LIST: 1, GET: 1, HEAD: 1 })
    })
  }

  test.skipIf(!awsAvailable())(
    'passes on what aws asks, large bodies too, and denies what it should',
    async () => {
      await using puppet = await startHttpPuppet(server.port)
      await using temp = await tempFolder()
      await writeTree(join(temp.path, 'from'), { a: 'one', big: randomBytes(20 * MEBIBYTE) })
      const through = ['--endpoint-url', `http://127.0.0.1:${puppet.port}`]
      const sync = ['s3', 'sync', '--quiet', ...through]
      puppet.answer({ error: 'SlowDown', times: 2, method: 'PUT' })
      const up = await server.aws('store', ...sync, join(temp.path, 'from'), 's3://bucket/aws')
      expect(up).toMatchObject({ exitCode: 0, stderr: '' })
      expect(puppet.answered).toBe(2)
      const down = await server.aws('store', ...sync, 's3://bucket/aws', join(temp.path, 'to'))
      expect(down).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await compareTrees(join(temp.path, 'from'), join(temp.path, 'to'))).toEqual([])
      puppet.answer({ error: 'AccessDenied', times: Infinity, method: 'GET' })
      const denied = await server.aws('store', 's3', 'ls', ...through, 's3://bucket/aws')
      expect(denied.stderr).toContain('AccessDenied')
    },
  )

  test('stands behind a proxy that cuts', async () => {
    await using puppet = await startHttpPuppet(server.port)
    await using proxy = await startProxy(puppet.port)
    const [installed] = rcloneVersions()
    const conf = ['--config', await server.rcloneConfAt(proxy.port)]
    proxy.cutAfter(100)
    const done = await server.run(installed.program, ...conf, 'cat', 'store:bucket/a')
    expect(done).toMatchObject({ exitCode: 0, stdout: 'content of a' })
    expect(proxy.connections).toBeGreaterThan(1)
  })
})
