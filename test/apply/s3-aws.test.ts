import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AWS, awsAvailable, s3Available } from '../lab/available.ts'
import { startHttpPuppet } from '../lab/http-puppet.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees } from '../rig/compare.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, named } from './case.ts'
import { bucketsOf, openS3Case, type S3Case, type S3Endpoint } from './s3-case.ts'

/** Prefixes, loose keys beside them on two levels, and names that a pattern or a shell could misread. */
const TREE = {
  'loose one': '1',
  'loose [two]*?': '22',
  'a/b/c': '333',
  'a/b/d e': '4444',
  'a/loose': '55555',
  '#;- é/"quoted"': '666666',
  'z/empty': '',
}

describe.skipIf(!s3Available() || !awsAvailable())('tool: aws', { timeout: 240_000 }, () => {
  const rclone = rcloneVersions().find(({ available }) => available) ?? rcloneVersions()[0]
  let server: S3Server
  const bucketName = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  interface AwsCase extends S3Case {
    /** A plan of one transfer that aws carries. */
    carry(
      endpoints: Readonly<Record<string, S3Endpoint>>,
      transfer: Readonly<Record<string, unknown>>,
    ): Promise<void>
  }

  async function open(): Promise<AwsCase> {
    const at = await openS3Case(server, rclone)
    const tools = { rclone: { path: rclone.program }, aws: { path: AWS } }
    return {
      ...at,
      carry: (endpoints, transfer) => at.write(endpoints, { tool: 'aws', ...transfer }, { tools }),
      // Nobody's own settings lead aws elsewhere.
      go: (more = {}, args = []) => at.go({ HOME: at.path, ...more }, args),
    }
  }

  test('prefixes and the loose keys beside them go up, over and down, and nothing is left to do then', async () => {
    await using at = await open()
    await writeTree(at.from, TREE)
    const [one, two] = [{ bucket: await bucketName() }, { bucket: await bucketName() }]
    for (const leg of [
      { from: at.from, to: 'one:up/here' },
      { from: 'one:up/here', to: 'two:' },
      { from: 'two:', to: at.to },
    ]) {
      await at.carry({ one, two }, leg)
      const first = await at.go({ SOXPLAN_SHARD_SECONDS: '0.01' })
      expect(lastLines(first.stdout, 1)[0]).toMatch(
        /^data: 1?\d entries \(21 B\) delivered, verified by name and size, in /,
      )
      expect(first.stdout).toContain('  tool       aws 2.')
      expect(first.exitCode).toBe(0)
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
    }
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })

  test('one file goes up and comes down under other names', async () => {
    await using at = await open()
    await writeTree(at.from, { 'one file': 'one' })
    const store = { bucket: await bucketName() }
    await at.carry({ store }, { from: join(at.from, 'one file'), to: 'store:d/other name' })
    expect((await at.go()).exitCode).toBe(0)
    await at.carry({ store }, { from: 'store:d/other name', to: join(at.to, 'one file') })
    expect((await at.go()).exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })

  test('a folder that it can not divide is named in the preview, with what would', async () => {
    await using at = await open()
    const flat = Array.from({ length: 60 }, (_, index) => [`flat/f${index}`, 'x'.repeat(1000)] as const)
    await writeTree(at.from, { ...Object.fromEntries(flat), 'a/b': 'x' })
    const store = { bucket: await bucketName() }
    await at.carry({ store }, { from: at.from, to: 'store:' })
    const { stdout, exitCode } = await at.go({ SOXPLAN_SHARD_SECONDS: '0.001' })
    expect(stdout).toContain('aws does not divide flat/ (60 files, 58.6 KiB); rclone would\n')
    expect(exitCode).toBe(0)
  })

  test('what the plan refuses is left out, and links are followed or skipped as it says', async () => {
    await using at = await open()
    await writeTree(at.from, { 'd/f': 'f' })
    await symlink('f', join(at.from, 'd/link'))
    const store = { bucket: await bucketName() }
    await at.carry({ store }, { from: at.from, to: 'store:skip', symlinks: 'skip' })
    expect((await at.go()).exitCode).toBe(0)
    await at.carry({ store }, { from: at.from, to: 'store:follow', symlinks: 'follow' })
    expect((await at.go()).exitCode).toBe(0)
    const listed = await server.run(rclone.program, 'lsf', '-R', '--files-only', `store:${store.bucket}`)
    expect(listed.stdout).toBe('follow/d/f\nfollow/d/link\nskip/d/f\n')
    // A key that no disk can hold beside the rest, and that aws would try to write.
    await server.putObject(store.bucket, 'down/x', 'x')
    await server.putObject(store.bucket, 'down/x/y', 'y')
    await at.carry({ store }, { from: 'store:down', to: at.to })
    const down = await at.go()
    expect(named(down.stdout)).toEqual([
      'x: refused, because other entries stand below this name, so no disk can hold it as a file',
    ])
    expect(down.exitCode).toBe(1)
    await writeTree(join(at.path, 'wanted'), { 'x/y': 'y' })
    expect(await compareTrees(join(at.path, 'wanted'), at.to)).toEqual([])
  })

  test('failures are named with their causes, and the rest arrives', async () => {
    await using at = await open()
    await using service = await startHttpPuppet(server.port)
    await writeTree(at.from, TREE)
    const store = { bucket: await bucketName(), port: service.port }
    const once = { retries: { attempts: 1 } }
    service.answer({ error: 'AccessDenied', times: Infinity, method: 'PUT', path: /d%20e/ })
    service.answer({ error: 'ExpiredToken', times: Infinity, method: 'PUT', path: /up\/a\/loose/ })
    await at.carry({ store }, { from: at.from, to: 'store:up', ...once })
    const up = await at.go()
    expect(named(up.stdout)).toEqual([
      'a/b/d e: can not be written at the destination; check permissions there, then apply again',
      'a/loose: was not copied, because the keys have expired; fetch new ones, valid until the transfer is over, then apply again',
    ])
    expect(up.exitCode).toBe(1)
    service.passOn()
    expect((await at.go()).exitCode).toBe(0)
    service.answer({ error: 'AccessDenied', times: Infinity, method: 'GET', path: /up\/loose%20one/ })
    await at.carry({ store }, { from: 'store:up', to: at.to, ...once })
    const down = await at.go()
    expect(named(down.stdout)).toEqual([
      'loose one: can not be read at the source; check its permissions, then apply again',
    ])
    service.passOn()
    service.answer({ error: 'SlowDown', times: 2, method: 'GET', path: /up\/loose%20one/ })
    expect((await at.go()).exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })
})
