import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available } from '../lab/available.ts'
import { startHttpPuppet, type HttpPuppet } from '../lab/http-puppet.ts'
import { startProxy } from '../lab/proxy.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, named, until, withVariables } from '../apply/case.ts'
import { bucketsOf, openS3Case, S3_VARIABLES, type S3Case } from '../apply/s3-case.ts'

const MIB = 2 ** 20
/** One that JSON writes in another way, and one that ends like the next. */
const ODD = 'a "quoted" \\ <&> \u2028 name'
const TREE = { [`d/${ODD}`]: 'odd', 'd/fine': 'fine', 'also fine': 'fine', 'd/b': 'b', b: 'b' }
/** rclone tries often by itself, and each time longer; here twice has to do. */
const IMPATIENT = { options: { rclone: { 'low-level-retries': 2 } }, retries: { attempts: 1 } }

/** What a test has at hand: a case, the bucket's name, and a puppet before the server. */
interface Scene extends S3Case {
  readonly bucket: string
  readonly service: HttpPuppet
  /** A plan from the folder to the bucket, or back, through the puppet. */
  readonly up: (transfer?: object) => Promise<void>
  readonly down: (transfer?: object) => Promise<void>
}

describe.skipIf(!s3Available())('a bucket under way', { timeout: 240_000 }, () => {
  let server: S3Server
  const bucketName = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    async function openScene(): Promise<Scene> {
      const at = await openS3Case(server, rclone)
      const service = await startHttpPuppet(server.port)
      const bucket = await bucketName()
      const store = { bucket, port: service.port }
      const write = (transfer: object): Promise<void> => at.write({ store }, { ...IMPATIENT, ...transfer })
      return {
        ...at,
        bucket,
        service,
        up: (transfer = {}) => write({ from: at.from, to: 'store:up', ...transfer }),
        down: (transfer = {}) => write({ from: 'store:up', to: at.to, ...transfer }),
        [Symbol.asyncDispose]: async () => {
          await service.close()
          await at[Symbol.asyncDispose]()
        },
      }
    }

    /** The bucket holds TREE. */
    async function fill(at: Scene): Promise<void> {
      for (const [key, content] of Object.entries(TREE))
        await server.putObject(at.bucket, `up/${key}`, content)
    }

    /** What a path of the server looks like that ends in the odd name. */
    const oddPath = /up\/d\/a%20/

    test('objects that may not be written or read are named, and all others arrive', async () => {
      await using at = await openScene()
      await writeTree(at.from, TREE)
      at.service.answer({ error: 'AccessDenied', times: Infinity, method: 'PUT', path: oddPath })
      await at.up()
      const up = await at.go()
      expect(named(up.stdout)).toEqual([
        expect.stringMatching(
          /^\S*d\/a .* name\S*: can not be written at the destination; check permissions there, then apply again$/,
        ),
      ])
      expect(up.exitCode).toBe(1)
      await fill(at)
      at.service.passOn()
      at.service.answer({ error: 'AccessDenied', times: Infinity, method: 'GET', path: /up\/b$/ })
      at.service.answer({ error: 'AccessDenied', times: Infinity, method: 'GET', path: /up\/b\?/ })
      await at.down()
      const down = await at.go()
      expect(named(down.stdout)).toEqual([
        'b: can not be read at the source; check its permissions, then apply again',
      ])
      expect(down.exitCode).toBe(1)
      expect(await compareTrees(at.from, at.to)).toEqual(['missing: "b"'])
      at.service.passOn()
      expect((await at.go()).exitCode).toBe(0)
    })

    test('an object that may not be copied from bucket to bucket is named', async () => {
      await using at = await openScene()
      await fill(at)
      const [one, two] = [at.bucket, await bucketName()].map((bucket) => ({
        bucket,
        port: at.service.port,
      })) as [{ bucket: string; port: number }, { bucket: string; port: number }]
      at.service.answer({ error: 'AccessDenied', times: Infinity, method: 'PUT', path: /over\/b\b/ })
      await at.write({ one, two }, { from: 'one:up', to: 'two:over', ...IMPATIENT })
      const over = await at.go()
      expect(named(over.stdout)).toEqual([
        'b: may not be copied with this profile; ask for the right to read it at the source and to write it at the destination, then apply again',
      ])
      expect(over.exitCode).toBe(1)
    })

    test('keys that expire on the way are named; with new ones the rest arrives', async () => {
      await using at = await openScene()
      await writeTree(at.from, TREE)
      const expired =
        'the keys have expired; fetch new ones, valid until the transfer is over, then apply again'
      at.service.answer({ error: 'ExpiredToken', times: Infinity, method: 'PUT', path: /up\/b\b/ })
      await at.up()
      expect(named((await at.go()).stdout)).toEqual([`b: was not copied, because ${expired}`])
      at.service.passOn()
      at.service.answer({ error: 'ExpiredToken', times: Infinity, method: 'PUT', spreads: true })
      const up = await at.go()
      expect(named(up.stdout)).toEqual([
        '1 entry not accounted for: the keys of a bucket have expired; fetch new ones, valid until the transfer is over, then apply again',
      ])
      expect(up.exitCode).toBe(1)
      at.service.passOn()
      expect((await at.go()).exitCode).toBe(0)
      await at.down()
      at.service.answer({
        error: 'ExpiredToken',
        times: Infinity,
        method: 'GET',
        path: /up\/[^?]+/,
        spreads: true,
      })
      const down = await at.go()
      expect(named(down.stdout).every((line) => line.endsWith(`: was not copied, because ${expired}`))).toBe(
        true,
      )
      expect(named(down.stdout).length).toBe(Object.keys(TREE).length)
      expect(await readFile(join(await at.run(), 'failed.txt'), 'utf8')).toContain('data\texpired\tb\t')
      at.service.passOn()
      expect((await at.go()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('keys that are withdrawn and a bucket that is removed on the way are told apart', async () => {
      await using at = await openScene()
      await writeTree(at.from, TREE)
      await at.up()
      at.service.answer({ error: 'InvalidAccessKeyId', times: Infinity, method: 'PUT', spreads: true })
      expect(named((await at.go()).stdout)).toEqual([
        '5 entries not accounted for: the service of a bucket does not take the keys any more; correct them, then apply again',
      ])
      at.service.passOn()
      at.service.answer({ error: 'NoSuchBucket', times: Infinity, method: 'PUT', spreads: true })
      const gone =
        'was not copied, because its bucket is gone; make it again or correct `bucket`, then apply again'
      const up = await at.go()
      expect(named(up.stdout)).toContain(`d/b: ${gone}`)
      expect(named(up.stdout)).toHaveLength(5)
      await fill(at)
      at.service.passOn()
      await at.down()
      at.service.answer({
        error: 'NoSuchBucket',
        times: Infinity,
        method: 'GET',
        path: /up\/[^?]+/,
        spreads: true,
      })
      const down = await at.go()
      expect(named(down.stdout)).toContain(`d/b: ${gone}`)
      expect(named(down.stdout)).toHaveLength(5)
    })

    test('a service that asks to slow down is asked again; one that always does is named', async () => {
      await using at = await openScene()
      await writeTree(at.from, TREE)
      at.service.answer({ error: 'SlowDown', times: 3, method: 'PUT' })
      await at.up({ options: {} })
      expect((await at.go()).exitCode).toBe(0)
      expect(at.service.answered).toBe(3)
      at.service.answer({ error: 'SlowDown', times: Infinity, method: 'GET', path: /up\/b(\?|$)/ })
      await at.down()
      const down = await at.go()
      expect(named(down.stdout)).toEqual([
        'b: was not copied, because the service asks for fewer requests; lower `nodes` or set `maxConnections` at the endpoint, then apply again',
      ])
      // The second attempt of a shard comes when the service has had some rest.
      at.service.passOn()
      at.service.answer({ error: 'SlowDown', times: 3, method: 'GET', path: /up\/b(\?|$)/ })
      await at.down({ retries: { attempts: 3 } })
      expect((await at.go()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('a connection that is cut in the middle of an object goes on from there', async () => {
      await using at = await openS3Case(server, rclone)
      await using proxy = await startProxy(server.port)
      const bucket = await bucketName()
      await writeTree(at.from, { big: randomBytes(24 * MIB), small: 'small' })
      await at.write({ store: { bucket, port: proxy.port } }, { from: at.from, to: 'store:' })
      proxy.cutAfter(8 * MIB)
      const up = await at.go()
      expect(lastLines(up.stdout, 1)[0]).toContain('data: 2 entries (24.0 MiB) delivered, verified by ')
      expect(up.exitCode).toBe(0)
      await at.write({ store: { bucket, port: proxy.port } }, { from: 'store:', to: at.to })
      proxy.cutAfter(8 * MIB)
      expect((await at.go()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
    })

    test('a service that goes away is named; once it is back, another apply finishes', async () => {
      await using at = await openS3Case(server, rclone)
      await using proxy = await startProxy(server.port)
      const bucket = await bucketName()
      const files = Array.from({ length: 6 }, (_, index) => [`d${index}/f`, randomBytes(MIB)] as const)
      await writeTree(at.from, Object.fromEntries(files))
      const store = { bucket, port: proxy.port }
      await at.write({ store }, { from: at.from, to: 'store:', ...IMPATIENT })
      proxy.throttle(2 * MIB)
      const running = at.start([], { env: withVariables(S3_VARIABLES) })
      await until(() => proxy.passedBytes > 2 * MIB)
      proxy.refuse()
      proxy.cut()
      const { exitCode, stdout } = await running.ended
      expect(exitCode).toBe(1)
      expect(named(stdout)).toEqual([
        '6 entries not accounted for: a server or a remote could not be reached any more; apply again once it answers',
      ])
      const away = await at.go()
      expect(away.exitCode).toBe(1)
      expect(away.stderr).toContain(
        `error SX237: endpoint store: http://127.0.0.1:${proxy.port} can not be reached`,
      )
      await proxy.accept()
      proxy.throttle(Infinity)
      expect((await at.go()).exitCode).toBe(0)
      await at.write({ store }, { from: 'store:', to: at.to })
      expect((await at.go()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('what vanished and what changed in the bucket after the listing is named', async () => {
      const temp = await openS3Case(server, rclone)
      const bucket = await bucketName()
      const remote = `store:${bucket}`
      const script = `if [[ " $* " == *" copy "* ]]; then
          "$REAL" --config ${server.rcloneConf} deletefile ${remote}/up/b
          printf longer | "$REAL" --config ${server.rcloneConf} rcat ${remote}/up/d/b
        fi
        exec "$REAL" "$@"`
      const bin = join(temp.path, 'bin')
      await puppet(bin, 'rclone', `REAL=${rclone.program}\n${script}`)
      await using at = await openS3Case(server, { program: join(bin, 'rclone') })
      for (const [key, content] of Object.entries(TREE)) await server.putObject(bucket, `up/${key}`, content)
      await at.write({ store: { bucket } }, { from: 'store:up', to: at.to })
      const down = await at.go()
      expect(named(down.stdout)).toEqual([
        'b: was removed from the source after the listing; apply again if that was not meant',
        'd/b: changed at the source after the listing; apply again once it stands still',
      ])
      expect((await readdir(at.to)).sort()).toEqual(['also fine', 'd'])
      await temp[Symbol.asyncDispose]()
    })
  })
})
