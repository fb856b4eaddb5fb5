import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { awsAvailable, s3Available } from './lab/available.ts'
import { startOwner } from './lab/owner.ts'
import { processesOf } from './lab/processes.ts'
import { rcloneVersions } from './lab/rclone.ts'
import { countRequests, parseRequest } from './lab/s3-requests.ts'
import { startS3Server, type S3Server } from './lab/s3.ts'
import { compareTrees } from './rig/compare.ts'
import { tempFolder } from './rig/folder.ts'
import { writeTree } from './rig/tree.ts'

const TREE = { 'a b': 'one', "it's": 'two', 'deep/er/c': Buffer.alloc(300_000, 7), 'deep/+%20': '' }

/** With these a refused request is not made again. */
const ONCE = ['--retries=1', '--low-level-retries=1']

describe.skipIf(!s3Available())('an S3 of the lab', () => {
  let server: S3Server
  let buckets = 0

  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(async () => {
    await server.close()
  })

  async function bucket(): Promise<string> {
    buckets += 1
    await server.makeBucket(`bucket-${buckets}`)
    return `bucket-${buckets}`
  }

  for (const rclone of rcloneVersions()) {
    test.skipIf(!rclone.available)(
      `carries a tree there and back with the ${rclone.name} rclone`,
      async () => {
        await using temp = await tempFolder()
        const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
        await writeTree(from, TREE)
        const name = await bucket()
        await server.forget()
        expect(await server.run(rclone.program, 'copy', from, `store:${name}`)).toMatchObject({ exitCode: 0 })
        expect(countRequests(await server.requests())).toMatchObject({ PUT: 4 })
        await server.forget()
        expect(await server.run(rclone.program, 'copy', `reader:${name}`, to)).toMatchObject({ exitCode: 0 })
        // The root, deep and deep/er; an empty file is fetched too.
        expect(countRequests(await server.requests())).toEqual({ LIST: 3, GET: 4 })
        expect(await compareTrees(from, to, { mtimes: true })).toEqual([])
      },
    )

    test.skipIf(!rclone.available)(
      `refuses the ${rclone.name} rclone what its keys do not allow`,
      async () => {
        const name = await bucket()
        await server.putObject(name, 'a', 'content')
        const exitCode = async (...args: readonly string[]): Promise<number> =>
          (await server.run(rclone.program, ...ONCE, ...args)).exitCode
        expect(await exitCode('cat', `reader:${name}/a`)).toBe(0)
        expect(await exitCode('copyto', server.rcloneConf, `reader:${name}/b`)).toBe(1)
        expect(await exitCode('cat', `stranger:${name}/a`)).toBe(1)
        await server.forget()
        expect(await exitCode('lsf', `wrong:${name}`)).toBe(1)
        expect((await server.requests()).map(({ status }) => status)).toEqual([403])
      },
    )
  }

  test.skipIf(!awsAvailable())('carries a tree there and back with aws', async () => {
    await using temp = await tempFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    await writeTree(from, TREE)
    const name = await bucket()
    await server.forget()
    const sync = ['s3', 'sync', '--quiet']
    expect(await server.aws('store', ...sync, from, `s3://${name}`)).toMatchObject({ exitCode: 0 })
    expect(countRequests(await server.requests())).toEqual({ LIST: 1, PUT: 4 })
    expect(await server.aws('reader', ...sync, `s3://${name}`, to)).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(from, to)).toEqual([])
    await server.forget()
    // This aws stumbles over the empty message of the gateway's error, so its own words are of no use here.
    expect((await server.aws('stranger', 's3', 'ls', `s3://${name}`)).exitCode).not.toBe(0)
    expect((await server.requests()).map(({ status }) => status)).toEqual([403])
  })

  test('holds keys that no client would make', async () => {
    const name = await bucket()
    for (const key of ['a//b', '/a', './c', 'd\ne', "f'(é"]) await server.putObject(name, key, key)
    const list = ['lsjson', '--recursive', '--files-only', '--s3-list-url-encode=true', `store:${name}`]
    const [installed] = rcloneVersions()
    const { stdout } = await server.run(installed.program, ...list)
    expect(stdout).toContain('"d␊e"')
    expect(stdout).toContain(`"f'(é"`)
    expect(stdout).toContain('"a//b"')
  })

  test('hangs, dies and comes back with what it had', async () => {
    const name = await bucket()
    await server.putObject(name, 'a', 'content')
    const [installed] = rcloneVersions()
    const cat = [installed.program, ...ONCE, 'cat', `store:${name}/a`] as const
    await server.forget()
    server.freeze()
    expect(await server.run('timeout', '1', ...cat)).toMatchObject({ exitCode: 124 })
    server.thaw()
    expect(await server.run(...cat)).toMatchObject({ exitCode: 0, stdout: 'content' })
    await server.kill()
    expect((await server.run(...cat)).exitCode).toBe(1)
    await server.start()
    expect(await server.run(...cat)).toMatchObject({ exitCode: 0, stdout: 'content' })
    expect(countRequests(await server.requests())).toMatchObject({ GET: 2 })
  })
})

describe.skipIf(!s3Available())('what an S3 of the lab leaves', () => {
  test('is neither process nor folder, whatever state it was in', async () => {
    const server = await startS3Server()
    server.freeze()
    expect(await processesOf(server.folder)).toHaveLength(3)
    await server.close()
    expect(await processesOf(server.folder)).toEqual([])
    expect(existsSync(server.folder)).toBe(false)
  })

  test('is nothing when the process that opened it is killed', async () => {
    const owner = await startOwner('s3.ts', 'startS3Server')
    expect(await readdir(owner.folder)).toContain('ceph.conf')
    expect(await processesOf(owner.folder)).toHaveLength(3)
    await owner.kill()
    await expect.poll(() => existsSync(owner.folder), { timeout: 20_000 }).toBe(false)
    expect(await processesOf(owner.folder)).toEqual([])
  })
})

describe('requests of S3', () => {
  test.each([
    ['GET /?x-id=ListBuckets', 'LIST'],
    ['GET /b/?list-type=2&prefix=a%2F', 'LIST'],
    ['GET /b?uploads', 'LIST'],
    ['GET /b?location', 'bucket'],
    ['HEAD /b', 'bucket'],
    ['PUT /b', 'bucket'],
    ['DELETE /b/', 'bucket'],
    ['GET /b/a%20"b', 'GET'],
    ['HEAD /b//a', 'HEAD'],
    ['PUT /b/a?partNumber=2&uploadId=x', 'PUT'],
    ['DELETE /b/a', 'DELETE'],
    ['POST /b?delete', 'POST'],
    ['POST /b/a?uploads', 'POST'],
  ])('%s is of the kind %s', (sent, kind) => {
    const line = `2026-01-01T00:00:00.000+0000 7f00 1 beast: 0x7f00: 127.0.0.1 - store [01/Jan/2026] "${sent} HTTP/1.1" 200 5 - "rclone" - latency=0.1s`
    expect(parseRequest(line)?.kind).toBe(kind)
  })

  test('are not what else is logged', () => {
    expect(parseRequest('2026-01-01T00:00:00.000+0000 7f00 1 ====== starting new request')).toBeUndefined()
  })
})
