/** Something to do in an open lab: a small data set, and a plan that uses all that the lab has. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import type { S3Server } from './s3.ts'
import type { SshServer } from './ssh.ts'

const BUCKET = 'lab'

/** Enough for several shards, and written in a moment. */
const dataset: readonly TreeEntry[] = [
  ...Array.from({ length: 300 }, (_, n): TreeEntry => {
    const content = `sample ${n}\n`.repeat(1 + (n % 40))
    return { kind: 'file', path: `samples/${n % 5}/${n}.txt`, content }
  }),
  ...Array.from({ length: 4 }, (_, n): TreeEntry => {
    return { kind: 'file', path: `checkpoints/${n}.bin`, content: Buffer.alloc(4_000_000 + n, n) }
  }),
]

/** Makes `folder` with the data set and `plan.yaml`, whose path it gives; servers that are not there have no transfer. */
export async function makeTryout(
  folder: string,
  ssh: SshServer | undefined,
  s3: S3Server | undefined,
): Promise<string> {
  const source = join(folder, 'dataset')
  await mkdir(folder)
  await writeTree(source, dataset)
  await s3?.makeBucket(BUCKET)
  const plan = join(folder, 'plan.yaml')
  const endpoints = [
    ...(ssh === undefined ? [] : [sshEndpoint(ssh)]),
    ...(s3 === undefined ? [] : [s3Endpoint(s3)]),
  ]
  const transfers = [
    transfer('on-disk', source, join(folder, 'on-disk')),
    ...(ssh === undefined ? [] : [transfer('from-server', `old:${source}`, join(folder, 'from-server'))]),
    ...(s3 === undefined ? [] : [transfer('to-bucket', source, 'store:dataset')]),
  ]
  await writeFile(
    plan,
    `# Made by \`npm run lab\`, and gone with it.
version: 1
name: lab
nodes: 4
slurm: { time: 10:00, cpus: 2 }
${endpoints.length === 0 ? '' : `endpoints:\n${endpoints.join('')}`}transfers:
${transfers.join('')}`,
  )
  return plan
}

function transfer(name: string, from: string, to: string): string {
  return `  ${name}: { from: ${JSON.stringify(from)}, to: ${JSON.stringify(to)} }\n`
}

function sshEndpoint({ host, port, user, keys, knownHosts }: SshServer): string {
  return block('old', { type: 'ssh', host, port, user, key: keys.good, knownHosts: knownHosts.right })
}

function s3Endpoint({ endpoint, credentials }: S3Server): string {
  const keys = { profile: 'store', credentials }
  return block('store', {
    type: 's3',
    bucket: BUCKET,
    endpoint,
    region: 'us-east-1',
    provider: 'Ceph',
    ...keys,
  })
}

function block(name: string, fields: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(fields).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}\n`)
  return `  ${name}:\n${lines.join('')}`
}
