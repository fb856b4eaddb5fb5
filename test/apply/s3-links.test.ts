import { readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available } from '../lab/available.ts'
import { rcloneVersions, type RcloneVersion } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees } from '../rig/compare.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { lastLines, named } from './case.ts'
import { bucketsOf, openS3Case } from './s3-case.ts'

const TREE: readonly TreeEntry[] = [
  { kind: 'file', path: 'd/file', content: 'content' },
  { kind: 'symlink', path: 'd/to file', target: 'file' },
  { kind: 'symlink', path: 'up', target: './d/../d/file' },
  { kind: 'symlink', path: 'to folder', target: 'd' },
  { kind: 'symlink', path: 'nowhere', target: '/no/such "place" é' },
  { kind: 'symlink', path: '#;-* [a]{b}\nnew line', target: 'a\nb' },
  { kind: 'symlink', path: 'own.rclonelink', target: 'up' },
]

describe.skipIf(!s3Available())('symlinks that are kept in a bucket', { timeout: 240_000 }, () => {
  let server: S3Server
  const bucketName = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  async function keys(rclone: RcloneVersion, bucket: string): Promise<readonly string[]> {
    const listed = await server.run(rclone.program, 'lsf', '-R', '--files-only', `store:${bucket}`)
    return listed.stdout.trim().split('\n').sort()
  }

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    test('go up as files that hold their targets, and come back as what they were', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const store = { bucket: await bucketName() }
      await at.write({ store }, { from: at.from, to: 'store:', symlinks: 'keep' })
      const shown = await at.preview()
      expect(shown.stdout).toContain('  + new      1 file (7 B), 6 symlinks\n')
      const up = await at.go()
      expect(lastLines(up.stdout, 1)[0]).toContain('data: 7 entries (7 B) delivered, verified by ')
      expect(up.exitCode).toBe(0)
      expect(await keys(rclone, store.bucket)).toEqual(
        [
          'd/file',
          'd/to file.rclonelink',
          'nowhere.rclonelink',
          'own.rclonelink.rclonelink',
          'to folder.rclonelink',
          'up.rclonelink',
          '#;-* [a]{b}␊new line.rclonelink',
        ].sort(),
      )
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
      await at.write({ store }, { from: 'store:', to: at.to, symlinks: 'keep' })
      const down = await at.go()
      expect(lastLines(down.stdout, 1)[0]).toContain('data: 8 entries (7 B) delivered, verified by ')
      expect(down.exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
    })

    test('one that leads elsewhere meanwhile is written anew, on either side', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const store = { bucket: await bucketName() }
      const up = { from: at.from, to: 'store:', symlinks: 'keep', verify: 'checksum' }
      await at.write({ store }, up)
      expect((await at.go()).exitCode).toBe(0)
      await rm(join(at.from, 'up'))
      await symlink('longer than it was before', join(at.from, 'up'))
      const again = await at.go()
      expect(again.stdout).toContain('  ~ changed  1 symlink\n')
      expect(again.exitCode).toBe(0)
      await at.write({ store }, { from: 'store:', to: at.to, symlinks: 'keep', verify: 'checksum' })
      expect((await at.go()).exitCode).toBe(0)
      await rm(join(at.to, 'nowhere'))
      await symlink('elsewhere', join(at.to, 'nowhere'))
      expect((await at.go()).exitCode).toBe(0)
      expect(await readlink(join(at.to, 'nowhere'))).toBe('/no/such "place" é')
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('a file whose own name ends so is refused where links are kept, and is a file where not', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, { 'a.rclonelink': 'a', 'd/.rclonelink': 'b', fine: 'c' })
      const store = { bucket: await bucketName() }
      await at.write({ store }, { from: at.from, to: 'store:', symlinks: 'keep' })
      const kept = await at.go()
      expect(kept.exitCode).toBe(1)
      const why =
        'refused, because its name ends in .rclonelink, which stands for a symlink where the plan says symlinks: keep'
      expect(named(kept.stdout)).toEqual([`a.rclonelink: ${why}`, `d/.rclonelink: ${why}`])
      await at.write({ store }, { from: at.from, to: 'store:', symlinks: 'skip' })
      expect((await at.go()).exitCode).toBe(0)
      await at.write({ store }, { from: 'store:', to: at.to })
      expect((await at.go()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('what no disk holds side by side is found in the plan', async () => {
      await using at = await openS3Case(server, rclone)
      const store = { bucket: await bucketName() }
      for (const key of ['l', 'l.rclonelink', 'd/f', 'd.rclonelink', 'good.rclonelink', '.rclonelink'])
        await server.putObject(store.bucket, key, 'target')
      await server.putObject(store.bucket, 'empty.rclonelink', '')
      await at.write({ store }, { from: 'store:', to: at.to, symlinks: 'keep' })
      const { exitCode, stdout } = await at.go()
      expect(exitCode).toBe(1)
      const ends =
        'refused, because its name ends in .rclonelink, which stands for a symlink where the plan says symlinks: keep'
      expect(named(stdout)).toEqual([
        `.rclonelink: ${ends}`,
        'd: refused, because other entries stand below this name, so no disk can hold it as a file',
        `empty.rclonelink: ${ends}`,
        'l: refused, because a file has the name that this symlink would get, so no disk can hold both',
      ])
      expect(await readlink(join(at.to, 'good'))).toBe('target')
    })

    test('who says nothing about links is asked, with all three answers', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      await at.write({ store: { bucket: await bucketName() } }, { from: at.from, to: 'store:' })
      const { exitCode, stderr } = await at.go()
      expect(exitCode).toBe(1)
      expect(stderr).toContain(
        'error SX204: transfer data: the source has 6 symlinks, and a remote holds none\n',
      )
      expect(stderr).toContain(
        'Write `symlinks: follow` to copy what they lead to, `symlinks: keep` to store each as a file NAME.rclonelink, or `symlinks: skip` to leave them out.',
      )
    })
  })
})
