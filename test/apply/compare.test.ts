/** docs/compare.md, pair by pair: what somebody copied by hand yesterday is recognised, and what differs is said. */

import { execFile } from 'node:child_process'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available, sshAvailable } from '../lab/available.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, openCase, writePlan } from './case.ts'
import { bucketsOf, openS3Case } from './s3-case.ts'
import { openOverSsh, type Way } from './ssh-case.ts'

const run = promisify(execFile)
const NOTHING = 'Nothing is left to do.'
const BLIND = 'is compared by size alone'

/** Files of an old time, as data sets have them. */
function treeAt(folder: string): Promise<void> {
  const mtime = 1_500_000_000
  return writeTree(folder, [
    { kind: 'file', path: 'a/one', content: 'one', mtime },
    { kind: 'file', path: 'a/two', content: 'two!', mtime },
    { kind: 'file', path: 'b/three', content: 'three', mtime },
  ])
}

describe('disk to disk', () => {
  test.each([
    ['rsync -a', 'rsync -a from/ to/'],
    ['rclone copy', 'rclone copy --config "" from to'],
    ['cp -a', 'cp -a from/. to'],
    ['tar', 'mkdir to; tar -C from -cf - . | tar -C to -xf -'],
  ])('what %s has copied is there', async (_, command) => {
    await using at = await openCase()
    await treeAt(at.from)
    await run('bash', ['-c', command], { cwd: at.path })
    const { stdout, exitCode } = await at.apply()
    expect(lastLines(stdout, 1)).toEqual([NOTHING])
    expect(exitCode).toBe(0)
  })

  test('what lost its times would be copied again; the preview says how much, and what takes it as it is', async () => {
    await using at = await openCase()
    await treeAt(at.from)
    await run('cp', ['-r', `${at.from}/.`, at.to])
    const { stdout, stderr } = await at.plan()
    expect(stdout).toContain('  ~ changed  3 files (12 B)\n')
    expect(stdout + stderr).toContain(
      'data: 3 files (12 B) there differ in nothing but the modification time, and would be copied again; `compare: size` takes them as they are, `compare: checksum` reads both sides.',
    )
    await writePlan(at.path, { transfers: { data: { from: at.from, to: at.to, compare: 'size' } } })
    const bySize = await at.apply()
    expect(bySize.stdout + bySize.stderr).toContain(BLIND)
    expect(lastLines(bySize.stdout, 1)).toEqual([NOTHING])
  })

  test('one file of another time is in the singular, and its copy gets the time of the source', async () => {
    await using at = await openCase()
    await treeAt(at.from)
    await run('cp', ['-a', `${at.from}/.`, at.to])
    await utimes(join(at.to, 'a/one'), 1, 1)
    const { stdout, stderr, exitCode } = await at.apply()
    expect(stdout + stderr).toContain(
      'data: 1 file (3 B) there differs in nothing but the modification time, and would be copied again;',
    )
    expect(exitCode).toBe(0)
    expect(lastLines((await at.apply()).stdout, 1)).toEqual([NOTHING])
  })

  test('contents are compared where the plan asks for it', async () => {
    await using at = await openCase({ compare: 'checksum', verify: 'checksum' })
    await treeAt(at.from)
    await run('cp', ['-a', `${at.from}/.`, at.to])
    await writeFile(join(at.to, 'a/one'), 'ONE')
    await run('touch', ['-r', join(at.from, 'a/one'), join(at.to, 'a/one')])
    const { exitCode } = await at.apply()
    expect(exitCode).toBe(0)
    expect((await run('cat', [join(at.to, 'a/one')])).stdout).toBe('one')
  })
})

describe.skipIf(!sshAvailable())('disk and server', { timeout: 240_000 }, () => {
  let server: SshServer
  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(() => server.close())

  test.each<Way>(['pull', 'push'])('%s: what rsync -a has copied is there', async (way) => {
    await using at = await openOverSsh(server, { way })
    await treeAt(at.from)
    await run('rsync', ['-a', `${at.from}/`, `${at.to}/`])
    expect(lastLines((await at.apply()).stdout, 1)).toEqual([NOTHING])
    await utimes(join(at.to, 'a/one'), 1, 1)
    const { stdout, stderr } = await at.plan()
    expect(stdout + stderr).toContain('data: 1 file (3 B) there differs in nothing but the modification time')
  })

  test('an SFTP remote of rclone.conf lists times, so they count', async () => {
    const conf = await server.rcloneConf('old')
    await using at = await openCase()
    await writePlan(at.path, {
      endpoints: { old: { type: 'rclone', config: conf } },
      transfers: { data: { from: at.from, to: `old:${at.to}` } },
    })
    await treeAt(at.from)
    await run('cp', ['-a', `${at.from}/.`, at.to])
    expect(lastLines((await at.apply()).stdout, 1)).toEqual([NOTHING])
    await utimes(join(at.to, 'a/one'), 1, 1)
    expect((await at.plan()).stdout).toContain('  ~ changed  1 file (3 B)\n')
  })
})

describe.skipIf(!s3Available())('disk and bucket', { timeout: 240_000 }, () => {
  let server: S3Server
  const bucket = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())
  const rclone = rcloneVersions().find(({ available }) => available)

  test.skipIf(rclone === undefined)('what rclone has copied is there, up, over and down', async () => {
    if (rclone === undefined) return
    await using at = await openS3Case(server, rclone)
    await treeAt(at.from)
    const [one, two] = [{ bucket: await bucket() }, { bucket: await bucket() }]
    const legs = [
      { from: at.from, to: 'one:set', by: [at.from, `store:${one.bucket}/set`] },
      { from: 'one:set', to: 'two:set', by: [`store:${one.bucket}/set`, `store:${two.bucket}/set`] },
      { from: 'two:set', to: at.to, by: [`store:${two.bucket}/set`, at.to] },
    ]
    for (const { from, to, by } of legs) {
      const copied = await server.run(rclone.program, 'copy', ...by)
      expect(copied.exitCode).toBe(0)
      await at.write({ one, two }, { from, to })
      const { stdout, stderr } = await at.go()
      expect(lastLines(stdout, 1)).toEqual([NOTHING])
      expect(stdout + stderr).toContain(BLIND)
    }
    // The listing of a bucket has no times of files: another time alone is not seen, unless it is asked for.
    await utimes(join(at.to, 'a/one'), 1, 1)
    expect(lastLines((await at.go()).stdout, 1)).toEqual([NOTHING])
    await at.write({ one, two }, { from: 'two:set', to: at.to, compare: 'size+mtime' })
    expect((await at.preview()).stdout).toContain('  ~ changed  1 file (3 B)\n')
  })

  test.skipIf(rclone === undefined)('what aws s3 sync has copied is there, up and down', async () => {
    if (rclone === undefined) return
    await using at = await openS3Case(server, rclone)
    await treeAt(at.from)
    const store = { bucket: await bucket() }
    const up = await server.aws('store', 's3', 'sync', at.from, `s3://${store.bucket}/set`)
    expect(up.exitCode).toBe(0)
    await at.write({ store }, { from: at.from, to: 'store:set' })
    expect(lastLines((await at.go()).stdout, 1)).toEqual([NOTHING])
    const down = await server.aws('store', 's3', 'sync', `s3://${store.bucket}/set`, at.to)
    expect(down.exitCode).toBe(0)
    await at.write({ store }, { from: 'store:set', to: at.to })
    expect(lastLines((await at.go()).stdout, 1)).toEqual([NOTHING])
  })
})
