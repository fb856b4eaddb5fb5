import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available } from '../lab/available.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { compareTrees } from '../rig/compare.ts'
import { ODD_TREE } from '../rig/hostile.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, named } from './case.ts'
import { bucketsOf, openS3Case, requestsOf, type S3Case } from './s3-case.ts'

const MIRROR = { mode: 'mirror', maxDelete: '100%' }

describe.skipIf(!s3Available())('a mirror of buckets', () => {
  let server: S3Server
  const bucket = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  async function keys(name: string): Promise<readonly string[]> {
    const listed = await server.aws('store', 's3api', 'list-objects-v2', '--bucket', name, '--output', 'json')
    const answer = JSON.parse(listed.stdout || '{}') as { Contents?: readonly { Key: string }[] }
    return (answer.Contents ?? []).map(({ Key }) => Key).sort()
  }

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    test('to a bucket: exactly what is too much below the prefix, and then nothing is left to do', async () => {
      await using at = await openS3Case(server, rclone)
      const store = { bucket: await bucket() }
      await writeTree(at.from, { a: 'a', 'd/e': 'e' })
      for (const key of ['a', 'old', 'x/y', ...Object.keys(ODD_TREE).map((name) => `odd/${name}`)])
        await server.putObject(store.bucket, `train/${key}`, 'a')
      for (const key of ['train/tmp/kept', 'train2/kept', 'kept', 'train/d//empty segment'])
        await server.putObject(store.bucket, key, 'k')
      await at.write({ store }, { from: at.from, to: 'store:train', exclude: ['tmp/**'], ...MIRROR })
      const shown = await at.preview()
      expect(shown.stdout).toContain('data, to delete in store:train: 9 files (9 B)\n  odd/#h\n')
      let done = { stdout: '', exitCode: -1 }
      const requests = await requestsOf(server, async () => {
        done = await at.go()
      })
      expect(lastLines(done.stdout, 1)[0]).toMatch(/ in store:train; 9 \(9 B\) deleted; /)
      expect(done.exitCode).toBe(0)
      expect(await keys(store.bucket)).toEqual(
        ['kept', 'train/a', 'train/d//empty segment', 'train/d/e', 'train/tmp/kept', 'train2/kept'].sort(),
      )
      expect(requests.DELETE).toBe(9)
      expect(lastLines((await at.go()).stdout, 1)).toEqual(['Nothing is left to do.'])
    })

    test('from a bucket: what it has not goes on the disk, directories too', async () => {
      await using at = await openS3Case(server, rclone)
      const store = { bucket: await bucket() }
      for (const key of ['a', 'd/e', 'd/ctl\nname']) await server.putObject(store.bucket, key, key)
      await writeTree(at.to, { a: 'a', 'd/ctl\nname': 'd/ctl\nname', 'old/x': 'x', 'd/old\n': 'o' })
      await at.write({ store }, { from: 'store:', to: at.to, ...MIRROR })
      const done = await at.go()
      expect(done.stdout).toContain("  $'d/old\\n'\n")
      expect(done.exitCode).toBe(0)
      await writeTree(at.from, { a: 'a', 'd/e': 'd/e', 'd/ctl\nname': 'd/ctl\nname' })
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })

    test('what is written again after the preview stays, by name', async () => {
      await using at = await openS3Case(server, rclone)
      const store = { bucket: await bucket() }
      await writeTree(at.from, { a: 'a' })
      for (const key of ['grown', 'again', 'old']) await server.putObject(store.bucket, key, 'x')
      await puppet(
        join(at.path, 'bin'),
        'rclone',
        `if [[ $1 == copy ]]; then
          sleep 1.1
          export RCLONE_CONFIG=${server.rcloneConf}
          printf xx | ${rclone.program} rcat store:${store.bucket}/grown
          printf y | ${rclone.program} rcat store:${store.bucket}/again
          unset RCLONE_CONFIG
        fi
        exec ${rclone.program} "$@"`,
      )
      await at.write(
        { store },
        { from: at.from, to: 'store:', ...MIRROR },
        { tools: { rclone: { path: join(at.path, 'bin/rclone') } } },
      )
      const done = await at.go()
      expect(named(done.stdout)).toEqual([
        'again: changed at the destination after the preview and was not deleted; look at it, then apply again',
        'grown: changed at the destination after the preview and was not deleted; look at it, then apply again',
      ])
      expect(done.exitCode).toBe(1)
      expect(await keys(store.bucket)).toEqual(['a', 'again', 'grown'])
    })

    test('keys that may not delete leave everything, by name', async () => {
      await using at = await openS3Case(server, rclone)
      const store = { bucket: await bucket() }
      await writeTree(at.from, { a: 'a' })
      for (const key of ['a', 'old']) await server.putObject(store.bucket, key, 'a')
      await withoutDelete(at, rclone.program, store.bucket)
      const done = await at.go()
      expect(named(done.stdout)).toEqual([
        'old: could not be deleted; check permissions at the destination, then apply again',
      ])
      expect(done.exitCode).toBe(1)
      expect(await keys(store.bucket)).toEqual(['a', 'old'])
    })
  })

  /** An rclone whose deletes all fail, as those of keys without the right do. */
  async function withoutDelete(at: S3Case, program: string, name: string): Promise<void> {
    await puppet(
      join(at.path, 'bin'),
      'rclone',
      `[[ $1 == delete ]] && { echo AccessDenied >&2; exit 1; }\nexec ${program} "$@"`,
    )
    await at.write(
      { store: { bucket: name } },
      { from: at.from, to: 'store:', ...MIRROR },
      { tools: { rclone: { path: join(at.path, 'bin/rclone') } } },
    )
  }
})
