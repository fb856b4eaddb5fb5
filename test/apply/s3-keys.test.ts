import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { awsAvailable, s3Available } from '../lab/available.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees, listTree } from '../rig/compare.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, named } from './case.ts'
import { bucketsOf, openS3Case } from './s3-case.ts'

const MIB = 2 ** 20

describe.skipIf(!s3Available())('a bucket is no disk', { timeout: 240_000 }, () => {
  let server: S3Server
  const bucketName = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    test('keys that no disk can hold are refused by name, and all others arrive', async () => {
      await using at = await openS3Case(server, rclone)
      const bucket = await bucketName()
      const keys = ['a//b', '/abs', './dot', 'd/../up', 'x', 'x/y', 'marker/', 'full/', 'full/f', 'plain']
      for (const key of keys) await server.putObject(bucket, key, key.endsWith('/') ? '' : key)
      await at.write({ store: { bucket } }, { from: 'store:', to: at.to })
      const down = await at.go()
      expect(down.exitCode).toBe(1)
      const impossible =
        'refused, because no disk can hold this name, and rclone would change it: an empty, `.` or `..` segment'
      expect(named(down.stdout).filter((line) => !line.endsWith(impossible))).toEqual([
        'x: refused, because other entries stand below this name, so no disk can hold it as a file',
      ])
      for (const name of ['/abs', 'a//b', '．/dot', 'd/．．/up'])
        expect(named(down.stdout)).toContain(`${name}: ${impossible}`)
      const files = [...(await listTree(at.to)).keys()].filter((name) => /full.|plain|x./.test(name))
      expect(files.sort()).toEqual(['full/f', 'plain', 'x/y'])
      expect(await readFile(join(at.to, 'x/y'), 'utf8')).toBe('x/y')
      // Whoever marks a folder gets one where the version of rclone shows it.
      if (rclone.name === 'newest') expect(await readdir(join(at.to, 'marker'))).toEqual([])
    })

    test('folders with nothing inside are counted and named in the preview', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, { 'a/b': 'b' })
      for (const name of ['empty', 'a/hollow']) await mkdir(join(at.from, name))
      await at.write({ store: { bucket: await bucketName() } }, { from: at.from, to: 'store:' })
      const shown = await at.preview()
      expect(shown.stdout).toContain(
        '  - empty    2 directories with nothing inside, which a remote does not hold\n',
      )
      expect((await at.go()).exitCode).toBe(0)
    })

    test('a key that would be too long for S3 is refused before anything moves', async () => {
      await using at = await openS3Case(server, rclone)
      const folders = Array.from({ length: 5 }, (_, index) => `${index}`.repeat(199)).join('/')
      await writeTree(at.from, {
        [`${folders}/${'f'.repeat(24)}`]: 'just fits',
        [`${folders}/${'g'.repeat(25)}`]: 'does not',
      })
      await at.write({ store: { bucket: await bucketName() } }, { from: at.from, to: 'store:' })
      const { exitCode, stdout } = await at.go()
      expect(named(stdout)).toEqual([
        `${folders}/${'g'.repeat(25)}: refused, because its key would be longer than the 1,024 bytes that S3 takes`,
      ])
      expect(exitCode).toBe(1)
    })

    test.skipIf(!awsAvailable())(
      'objects in many parts, whose ETag is no hash, are proven by their content; a time of another tool changes nothing',
      async () => {
        await using at = await openS3Case(server, rclone)
        const bucket = await bucketName()
        await writeTree(at.from, { big: randomBytes(20 * MIB), small: 'small' })
        const put = await server.aws(
          'store',
          's3',
          'cp',
          '--quiet',
          '--recursive',
          at.from,
          `s3://${bucket}/`,
        )
        expect(put).toMatchObject({ exitCode: 0 })
        await at.write({ store: { bucket } }, { from: 'store:', to: at.to, verify: 'checksum' })
        const down = await at.go()
        expect(lastLines(down.stdout, 1)[0]).toContain(
          'delivered, verified by name, size and content hash, in ',
        )
        expect(down.exitCode).toBe(0)
        expect(await compareTrees(at.from, at.to)).toEqual([])
        await at.write({ store: { bucket } }, { from: 'store:', to: at.to })
        expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
        // Damage of the same size in the middle of such an object.
        const content = await readFile(join(at.to, 'big'))
        content.write('damaged', 10 * MIB)
        await writeFile(join(at.to, 'big'), content)
        await at.write(
          { store: { bucket } },
          { from: 'store:', to: at.to, compare: 'checksum', verify: 'checksum' },
        )
        const found = await at.go()
        expect(found.exitCode).toBe(1)
        expect(named(found.stdout)).toEqual([
          'big: differs from the source and was not written over; look at both, remove the wrong one, then apply again',
        ])
        await rm(join(at.to, 'big'))
        expect((await at.go()).exitCode).toBe(0)
        expect(await compareTrees(at.from, at.to)).toEqual([])
      },
    )
  })
})
