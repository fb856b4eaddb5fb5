/** Every ready plan as it stands in `plans/`, but for its names: on a real Slurm, a real sshd and a real S3. */

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { AWS, s3Available, sshAvailable } from '../lab/available.ts'
import { REGION } from '../lab/s3-conf.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { compareTrees } from '../rig/compare.ts'
import { PROJECT } from '../rig/project.ts'
import type { TreeEntry } from '../rig/tree.ts'
import { lastLines } from '../apply/case.ts'
import { endpointOf } from '../apply/ssh-case.ts'
import { groundsOfLab, noLab, type Ground } from './ground.ts'

const run = promisify(execFile)
const folder = join(PROJECT, 'plans')
const plans = (await readdir(folder)).filter((name) => name.endsWith('.yaml'))

/** One folder that holds nearly everything, names that mean something, and files beside folders. */
const TREE: readonly TreeEntry[] = [
  { kind: 'file', path: 'big/one', content: Buffer.alloc(3_000_000, 'soxplan') },
  ...Array.from({ length: 60 }, (_, n): TreeEntry => ({
    kind: 'file',
    path: `small/${n % 3}/f${n}`,
    content: `file ${n}`,
    mtime: 1_600_000_000 + n,
  })),
  { kind: 'file', path: '#odd; -name', content: 'odd' },
  { kind: 'file', path: "it's loose", content: 'loose', mtime: 1_600_000_000 },
]

interface Servers {
  readonly ssh: SshServer
  readonly s3: S3Server
}

interface Written extends Readonly<Record<string, unknown>> {
  readonly vars: Readonly<Record<string, string | number>>
  readonly endpoints?: Readonly<Record<string, { readonly type: string; readonly bucket?: string }>>
}

const isBucket = (name: string): boolean => name === 'bucket' || name === 'from' || name === 'to'

/** Variables that name the lab's places: a folder each for `source` and `destination`, a bucket each for the rest. */
function varsFor(plan: string, written: Written, ground: Ground): Readonly<Record<string, string | number>> {
  const fresh = Object.keys(written.vars).map((name): [string, string | number] => {
    if (name === 'source') return [name, ground.in('src')]
    if (name === 'destination') return [name, ground.in('to')]
    return [name, isBucket(name) ? bucketName(plan, name) : (written.vars[name] ?? '')]
  })
  return Object.fromEntries(fresh)
}

function bucketName(plan: string, variable: string): string {
  return `${plan.replace('.yaml', '')}-${variable}`
}

function endpointsFor(written: Written, { ssh, s3 }: Servers): Readonly<Record<string, unknown>> {
  const store = { region: REGION, endpoint: s3.endpoint, profile: 'store', credentials: s3.credentials }
  return Object.fromEntries(
    Object.entries(written.endpoints ?? {}).map(([name, endpoint]) => [
      name,
      endpoint.type === 'ssh' ? { ...endpointOf(ssh) } : { ...endpoint, provider: 'Ceph', ...store },
    ]),
  )
}

/** Puts the tree where the plan takes it from, and gives a folder that shows what came of it. */
async function ends(
  plan: string,
  vars: Readonly<Record<string, string | number>>,
  ground: Ground,
  { s3 }: Servers,
): Promise<{ readonly arrive: () => Promise<string> }> {
  await ground.tree('src', TREE)
  const buckets = Object.entries(vars).filter(([name]) => isBucket(name))
  for (const [, bucket] of buckets) await s3.makeBucket(String(bucket))
  const prefix = String(vars['prefix'] ?? '')
  const rclone = async (from: string, to: string): Promise<void> => {
    const { exitCode, stderr } = await s3.run('rclone', 'copy', from, to)
    expect([exitCode, stderr]).toEqual([0, ''])
  }
  const first = `store:${String(buckets[0]?.[1])}/${prefix}`
  if (plan.startsWith('bucket-')) await rclone(ground.in('src'), first)
  if (!plan.includes('-to-bucket') && plan !== 'bucket-to-bucket.yaml')
    return { arrive: () => Promise.resolve(ground.in('to')) }
  return {
    arrive: async () => {
      await rclone(`store:${String(buckets.at(-1)?.[1])}/${prefix}`, ground.in('arrived'))
      return ground.in('arrived')
    },
  }
}

const unavailable = noLab('plans/') || !sshAvailable() || !s3Available()

describe.skipIf(unavailable)('the ready plan', { timeout: 300_000 }, () => {
  const ground = groundsOfLab()
  let servers: Servers
  beforeAll(async () => {
    const [ssh, s3] = await Promise.all([startSshServer(), startS3Server()])
    servers = { ssh, s3 }
  })
  afterAll(async () => {
    await Promise.all([servers.ssh.close(), servers.s3.close()])
  })

  test.each(plans)('%s delivers, leaves no job behind, and then nothing is left to do', async (plan) => {
    const at = ground(plan)
    const written = parse(await readFile(join(folder, plan), 'utf8')) as Written
    const vars = varsFor(plan, written, at)
    await mkdir(at.folder, { recursive: true })
    const { arrive } = await ends(plan, vars, at, servers)
    const text = {
      ...written,
      vars,
      endpoints: endpointsFor(written, servers),
      tools: { aws: { path: AWS } },
    }
    await writeFile(at.in('plan.yaml'), JSON.stringify(text))
    if (plan === 'mirror.yaml') await at.tree('to', [...TREE, { kind: 'file', path: 'extra', content: 'x' }])
    const applied = await at.apply()
    expect([applied.exitCode, applied.stderr.includes('error')]).toEqual([0, false])
    expect(applied.stdout).toMatch(plan === 'mirror.yaml' ? /1 \(1 B\) deleted/ : / delivered, verified by /)
    const isThroughBucket = plan.includes('bucket')
    const differences = await compareTrees(at.in('src'), await arrive(), { mtimes: !isThroughBucket })
    expect(differences).toEqual([])
    expect(await at.queue()).toEqual([])
    const again = await at.apply()
    // Owners that go by name are known where they are set only, so that a fixup from a server is made again.
    expect(lastLines(again.stdout, 1)).toEqual([
      plan === 'server-with-owners.yaml'
        ? `data: attributes of 68 entries set, in ${at.in('to')}`
        : 'Nothing is left to do.',
    ])
    expect(again.exitCode).toBe(0)
  })

  test('server-to-shared.yaml goes on when whoever applied it is gone', async () => {
    const at = ground('gone')
    const written = parse(await readFile(join(folder, 'server-to-shared.yaml'), 'utf8')) as Written
    const vars = varsFor('gone', written, at)
    await at.tree('src', TREE)
    const text = { ...written, vars, endpoints: endpointsFor(written, servers) }
    await writeFile(at.in('plan.yaml'), JSON.stringify(text))
    const detached = await at.apply('--detach')
    expect(detached.exitCode).toBe(4)
    await expect.poll(() => at.queue(), { timeout: 120_000, interval: 500 }).toEqual([])
    expect(await compareTrees(at.in('src'), at.in('to'), { mtimes: true })).toEqual([])
    const told = await at.apply()
    expect(told.stdout).toContain(
      'code: 68 entries (2.9 MiB) delivered, verified by name, size and modification time',
    )
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
    expect((await run('ls', ['-A', at.in('to')])).stdout).not.toContain('.soxplan-partial')
  })

  test.each([
    { tool: 'rsync', maxConnections: 3, workers: 3 },
    { tool: 'rclone', maxConnections: 5, workers: 2 },
  ])(
    '$tool keeps to $maxConnections connections over all nodes',
    async ({ tool, maxConnections, workers }) => {
      const at = ground(`connections-${tool}`)
      await at.tree('src', TREE)
      const plan = {
        version: 1,
        name: 'connections',
        nodes: 4,
        endpoints: { old: { ...endpointOf(servers.ssh), maxConnections } },
        transfers: { data: { from: `old:${at.in('src')}`, to: at.in('to'), tool } },
      }
      await writeFile(at.in('plan.yaml'), JSON.stringify(plan))
      await servers.ssh.forget()
      expect(await at.apply()).toMatchObject({ exitCode: 0 })
      expect(await compareTrees(at.in('src'), at.in('to'), { mtimes: true })).toEqual([])
      const claims = await at.stageFiles(/^data\.copy\/work\/.*claim$/)
      expect(claims.length).toBeGreaterThan(workers)
      const most = await servers.ssh.mostAtOnce()
      expect(most).toBeLessThanOrEqual(maxConnections)
      expect(most).toBeGreaterThan(1)
    },
  )
})
