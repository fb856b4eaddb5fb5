/** Measure h: what cutting a copy into shards costs in requests to a bucket, against one call of rclone, by kind. */

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { s3Available } from '../test/lab/available.ts'
import { REGION } from '../test/lab/s3-conf.ts'
import { countRequests, type RequestKind } from '../test/lab/s3-requests.ts'
import { startS3Server, type S3Server } from '../test/lab/s3.ts'
import { cacheFolder, withOutputFolder } from './folders.ts'
import { mustRun } from './measure.ts'
import type { Row } from './row.ts'
import { applyLocal, manyShards, writePlan } from './soxplan.ts'
import { smallFiles } from './trees.ts'

/** The gateway takes about 300 of them a second. */
const FILES = 2_000
const BAR = 1.1

type Counts = Readonly<Partial<Record<RequestKind, number>>>

/** What both do, one after the other: soxplan from `from` to `to`, and rclone between places of its own. */
interface Leg {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly plain: readonly [from: string, to: string]
}

export async function run(): Promise<Row[]> {
  if (!s3Available()) return []
  const from = smallFiles(path.join(await cacheFolder(), 'requests'), FILES)
  await using server = await startS3Server()
  for (const bucket of ['ours', 'theirs']) await server.makeBucket(bucket)
  return await withOutputFolder(async (folder) => {
    const [down, plainDown] = [path.join(folder, 'down'), path.join(folder, 'plain')]
    await mkdir(plainDown)
    const up = { from, to: 'store:', plain: [from, 'store:theirs'] } as const
    const back = { from: 'store:', to: down, plain: ['store:theirs', plainDown] } as const
    const legs: readonly Leg[] = [
      { name: 'first copy up', ...up },
      { name: 'second copy up', ...up },
      { name: 'first copy down', ...back },
      { name: 'second copy down', ...back },
    ]
    const rows: Row[] = []
    for (const leg of legs) rows.push(await row(server, folder, leg))
    return rows
  })
}

async function row(server: S3Server, folder: string, { name, from, to, plain }: Leg): Promise<Row> {
  const theirs = await counted(server, () =>
    mustRun(['rclone', 'copy', ...plain], {
      // A bundle that this shell names for other programs keeps rclone 1.60 from starting.
      env: { RCLONE_CONFIG: server.rcloneConf, NO_PROXY: '127.0.0.1', AWS_CA_BUNDLE: undefined },
    }),
  )
  const store = {
    type: 's3',
    bucket: 'ours',
    endpoint: server.endpoint,
    region: REGION,
    provider: 'Ceph',
    profile: 'store',
    credentials: server.credentials,
  }
  const plan = await writePlan(
    path.join(folder, name.replaceAll(' ', '-')),
    { data: { from, to } },
    { endpoints: { store } },
  )
  const mine = await counted(server, () => applyLocal(plan, 2, { ...manyShards, NO_PROXY: '127.0.0.1' }))
  const ratio = sum(mine) / sum(theirs)
  return {
    id: 'h',
    measure: `requests of ${FILES.toLocaleString('en')} files, all shards, ${name}`,
    against: 'one rclone copy without flags',
    ratio,
    bar: `≤ ${BAR}`,
    ok: ratio <= BAR,
    detail: `soxplan ${text(mine)}; rclone ${text(theirs)}; from the first look at the source to the proof`,
  }
}

async function counted(server: S3Server, work: () => Promise<unknown>): Promise<Counts> {
  await server.forget()
  await work()
  return countRequests(await server.requests())
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function text(counts: Counts): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}
