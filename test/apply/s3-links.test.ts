import { lchown, lstat, lutimes, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available } from '../lab/available.ts'
import { rcloneVersions, type RcloneVersion } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { lastLines, named } from './case.ts'
import { isRoot } from './fixup-case.ts'
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

/** What they are in a bucket, in rclone's names. */
const KEYS = [
  'd/file',
  'd/to file.rclonelink',
  'nowhere.rclonelink',
  'own.rclonelink.rclonelink',
  'to folder.rclonelink',
  'up.rclonelink',
  '#;-* [a]{b}␊new line.rclonelink',
].sort()

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
      expect(await keys(rclone, store.bucket)).toEqual(KEYS)
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

    test('one that leads elsewhere by a name of the same length is seen, on either side, and proven where contents are', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, { 'step 1000': 'a', 'step 2000': 'b' })
      const newest = join(at.from, 'newest')
      await symlink('step 1000', newest)
      const store = { bucket: await bucketName() }
      const up = { from: at.from, to: 'store:', symlinks: 'keep' }
      await at.write({ store }, up)
      expect((await at.go()).exitCode).toBe(0)
      const down = { from: 'store:', to: at.to, symlinks: 'keep', verify: 'checksum' }
      await at.write({ store }, down)
      expect((await at.go()).exitCode).toBe(0)
      const { mtimeMs } = await lstat(newest)
      await rm(newest)
      await symlink('step 2000', newest)
      await lutimes(newest, mtimeMs / 1000, mtimeMs / 1000)
      await at.write({ store }, up)
      expect((await at.preview()).stdout).toContain('  ~ changed  1 symlink\n')
      expect((await at.go()).exitCode).toBe(0)
      const stored = await server.run(rclone.program, 'cat', `store:${store.bucket}/newest.rclonelink`)
      expect(stored.stdout).toBe('step 2000')
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
      await at.write({ store }, down)
      expect((await at.preview()).stdout).toContain('  ~ changed  1 symlink\n')
      expect((await at.go()).exitCode).toBe(0)
      expect(await readlink(join(at.to, 'newest'))).toBe('step 2000')
      await at.write({ store }, { ...down, verify: 'auto' })
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
    })

    test('one that somebody turns elsewhere behind the copy is found by a proof of contents', async () => {
      await using at = await openS3Case(server, rclone)
      const store = { bucket: await bucketName() }
      await server.putObject(store.bucket, 'newest.rclonelink', 'step 1000')
      await server.putObject(store.bucket, 'other.rclonelink', 'step 1000')
      const meddling = `${rclone.program} "$@"; rc=$?
        [[ $1 == copy ]] && ln -sfn 'step 2000' '${at.to}/newest'
        exit $rc`
      await puppet(join(at.path, 'bin'), 'rclone', meddling, process.env)
      await at.write(
        { store },
        { from: 'store:', to: at.to, symlinks: 'keep', verify: 'checksum' },
        { tools: { rclone: { path: join(at.path, 'bin', 'rclone') } } },
      )
      const { exitCode, stdout } = await at.go()
      expect(named(stdout)).toEqual([
        'newest: differs from the source and was not written over; look at both, remove the wrong one, then apply again',
      ])
      expect(exitCode).toBe(1)
    })

    test('a mirror of them: what is no more goes, on either side, and no link that is kept', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const store = { bucket: await bucketName() }
      for (const [key, content] of [
        ['up.rclonelink', './d/../d/file'],
        ['old.rclonelink', 'd'],
        ['to folder', 'a file, once'],
        ['d/file.rclonelink', 'a link, once'],
      ] as const)
        await server.putObject(store.bucket, key, content)
      const mirror = { symlinks: 'keep', mode: 'mirror', maxDelete: '100%' }
      await at.write({ store }, { from: at.from, to: 'store:', ...mirror })
      const up = await at.go()
      expect(up.stdout).toContain(
        'data, to delete in store:: 3 files (25 B)\n  d/file.rclonelink\n  old.rclonelink\n  to folder\n',
      )
      expect(up.exitCode).toBe(0)
      expect(await keys(rclone, store.bucket)).toEqual(KEYS)
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
      await writeTree(at.to, [
        { kind: 'symlink', path: 'd/to file', target: 'file' },
        { kind: 'symlink', path: 'old', target: 'd' },
        { kind: 'file', path: 'up.rclonelink', content: 'how a plan without `keep` has it' },
      ])
      await at.write({ store }, { from: 'store:', to: at.to, ...mirror })
      const down = await at.go()
      expect(down.stdout).toContain('  old\n  up.rclonelink\n')
      expect(down.exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
    })

    test('a fixup behind the copy sets their owners and times, and turns none elsewhere', async () => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, TREE)
      const store = { bucket: await bucketName() }
      await at.write({ store }, { from: at.from, to: 'store:', symlinks: 'keep' })
      expect((await at.go()).exitCode).toBe(0)
      // Where attributes are read, one leads elsewhere by a name of the same length.
      await rm(join(at.from, 'd/to file'))
      await symlink('fil2', join(at.from, 'd/to file'))
      for (const link of ['up', 'nowhere', 'to folder']) await lutimes(join(at.from, link), 1e9, 1e9)
      if (isRoot) await lchown(join(at.from, 'up'), 12345, 12345)
      await at.write(
        { store },
        {
          from: 'store:',
          to: at.to,
          symlinks: 'keep',
          compare: 'size',
          fixup: { from: at.from, preserve: ['owner', 'group', 'times', 'permissions'] },
        },
      )
      const { exitCode, stdout } = await at.go()
      expect(named(stdout)).toEqual([
        'd/to file: is not the same where the fixup reads attributes, by size, kind or what it leads to, and was left as it is; look at both, then apply again',
      ])
      expect(exitCode).toBe(1)
      expect(await readlink(join(at.to, 'd/to file'))).toBe('file')
      for (const link of ['up', 'nowhere', 'to folder'])
        expect(await lstat(join(at.to, link))).toMatchObject({
          mtimeMs: 1e12,
          uid: (await lstat(join(at.from, link))).uid,
        })
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
