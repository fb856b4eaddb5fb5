import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available } from '../lab/available.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees } from '../rig/compare.ts'
import { hostileTree, ODD_TREE } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines } from './case.ts'
import { bucketsOf, openS3Case, requestsOf } from './s3-case.ts'

const TREE = { ...ODD_TREE, 'a b+%20': 'p', empty: '' }

describe.skipIf(!s3Available())('buckets', () => {
  let server: S3Server
  const bucket = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    test('there and back: a tree goes up, over and down, and nothing is left to do then', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const [one, two] = [{ bucket: await bucket() }, { bucket: await bucket() }]
      const legs = [
        { from: at.from, to: 'one:up/here' },
        { from: 'one:up/here', to: 'two:' },
        { from: 'two:', to: at.to },
      ]
      for (const leg of legs) {
        await at.write({ one, two }, leg)
        const first = await at.go()
        expect(lastLines(first.stdout, 1)[0]).toMatch(
          /^data: 1?\d entries \(9 B\) delivered, verified by name and size, in /,
        )
        expect(first.exitCode).toBe(0)
        const second = await at.go()
        expect(lastLines(second.stdout, 1)).toEqual(['Nothing is left to do.'])
        expect(second.exitCode).toBe(0)
      }
      expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
    })

    test('what is damaged or deleted on either side is mended', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const store = { bucket: await bucket() }
      await at.write({ store }, { from: at.from, to: 'store:' })
      expect((await at.go()).exitCode).toBe(0)
      await server.putObject(store.bucket, 'd', 'damaged')
      await server.run(rclone.program, 'deletefile', `store:${store.bucket}/a/b/c`)
      const mended = await at.go()
      expect(mended.stdout).toContain('  + new      1 file (1 B)\n  ~ changed  1 file (2 B)\n')
      expect(mended.exitCode, `${mended.stdout}${mended.stderr}`).toBe(0)
      await at.write({ store }, { from: 'store:', to: at.to })
      expect((await at.go()).exitCode).toBe(0)
      await writeFile(join(at.to, 'd'), 'damaged')
      expect((await at.go()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('hostile names arrive both ways, or are named', async () => {
      await using at = await openS3Case(server, rclone)
      await hostileTree(at.from, { withoutSpecials: true })
      const store = { bucket: await bucket() }
      await at.write({ store }, { from: at.from, to: 'store:', symlinks: 'skip' })
      const out = await at.go()
      expect(out.exitCode).toBe(1)
      expect(out.stdout).toContain('its name is not valid UTF-8, so rclone can not represent it')
      expect(out.stdout).toContain(
        "$'folders/bell\\x07 escape\\x1b[31m/file': refused, because a folder of its path has a control character in its name",
      )
      expect(out.stdout).toContain('a symlink, and the plan says symlinks: skip')
      await at.write({ store }, { from: 'store:', to: at.to })
      const back = await at.go()
      expect(back.exitCode).toBe(0)
      const differences = await compareTrees(at.from, at.to, { mtimes: true })
      // Neither links nor empty folders exist there, and names that are no UTF-8 were refused.
      expect(differences.filter((line) => !/^missing: "(links|empty|folders.bell)|\\x/.test(line))).toEqual(
        [],
      )
      await at.write({ store }, { from: at.from, to: 'store:', symlinks: 'skip' })
      const second = await at.go()
      expect(second.stdout).not.toContain('  + new ')
      expect(second.stdout).not.toContain('  ~ changed ')
    })

    test('what comes down has the rights that the plan asks for', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const store = { bucket: await bucket() }
      await at.write({ store }, { from: at.from, to: 'store:' })
      expect((await at.go()).exitCode).toBe(0)
      await at.write({ store }, { from: 'store:', to: at.to, umask: '002' })
      expect((await at.go()).exitCode).toBe(0)
      const rights = async (name: string): Promise<string> =>
        ((await stat(join(at.to, name))).mode & 0o777).toString(8)
      expect([await rights(''), await rights('a/b'), await rights('a/b/c')]).toEqual(['775', '775', '664'])
    })

    test('each way to prove says what it has looked at, and finds what it can see', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, { same: 'one', other: 'two' })
      const store = { bucket: await bucket() }
      const proven = {
        size: 'name and size',
        'size+mtime': 'name, size and modification time',
        checksum: 'name, size and content hash',
        download: 'name, size and content, read again on both sides',
      }
      for (const [verify, words] of Object.entries(proven)) {
        await at.write({ store }, { from: at.from, to: `store:${verify.replace('+', '-')}`, verify })
        const up = await at.go()
        expect(lastLines(up.stdout, 1)[0]).toContain(`delivered, verified by ${words}, in `)
        expect(up.exitCode).toBe(0)
      }
      // Damage that keeps the size: only contents tell, and there is nothing to be told by the others.
      for (const verify of ['checksum', 'download']) {
        await server.putObject(store.bucket, `${verify}/same`, 'ONE')
        await at.write({ store }, { from: at.from, to: `store:${verify}`, verify })
        expect((await at.go()).exitCode).toBe(0)
        await at.write({ store }, { from: `store:${verify}`, to: at.to, verify, existing: 'update' })
        expect((await at.go()).exitCode).toBe(0)
        expect(await readFile(join(at.to, 'same'), 'utf8')).toBe('one')
      }
    })

    test('one object comes down and one file goes up, into a folder and under another name', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, { one: 'one' })
      const store = { bucket: await bucket() }
      for (const to of ['store:folder/', 'store:folder/two', 'store:three']) {
        await at.write({ store }, { from: join(at.from, 'one'), to })
        expect((await at.go()).exitCode).toBe(0)
      }
      await mkdir(at.to)
      await at.write({ store }, { from: 'store:folder/two', to: at.to })
      expect((await at.go()).exitCode).toBe(0)
      await at.write({ store }, { from: 'store:three', to: join(at.to, 'new name') })
      expect((await at.go()).exitCode).toBe(0)
      expect(await readdir(at.to)).toEqual(['new name', 'two'])
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
    })

    test('from bucket to bucket of one service nothing comes through here, and the preview says so', async () => {
      await using at = await openS3Case(server, rclone)
      const [one, two] = [{ bucket: await bucket() }, { bucket: await bucket() }]
      for (const key of ['a', 'b/c', 'b/d']) await server.putObject(one.bucket, key, key)
      await at.write({ one, two }, { from: 'one:', to: 'two:copy' })
      const shown = await at.preview()
      expect(shown.stdout).toContain(
        '  way        server-side: the service copies, nothing comes through a node\n',
      )
      const requests = await requestsOf(server, async () => {
        expect((await at.go()).exitCode).toBe(0)
      })
      expect(requests.GET ?? 0).toBe(0)
      // Other keys may not be good for both buckets, so they are not tried.
      const other = { ...two, profile: 'reader' }
      await at.write({ one: { ...one, profile: 'reader' }, two }, { from: 'one:', to: 'two:streamed' })
      expect((await at.preview()).stdout).toContain(
        '  way        streamed: every byte comes through a node, in and out again\n',
      )
      expect((await requestsOf(server, () => at.go())).GET).toBe(3)
      await at.write({ one, two: other }, { from: 'one:', to: 'two:denied' })
      expect((await at.go()).exitCode).toBe(1)
    })
  })
})
