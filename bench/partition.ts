/** Measure b: a listing of a million files on disk in, the lists of 8 and of 512 shards out, against `fpart -a`. */

import { execa } from 'execa'
import { join } from 'node:path'
import { scanManifest } from '../src/edge/manifest-file.ts'
import { writeShardLists } from '../src/edge/shard-lists.ts'
import { planShards } from '../src/edge/shard-plan.ts'
import { createTree } from '../src/inventory/directories.ts'
import { assumedRates, costModel } from '../src/shard/cost.ts'
import { cacheFolder, withOutputFolder } from './folders.ts'
import { listing, type Listing } from './listing.ts'
import { fixed } from './measure.ts'
import type { Row } from './row.ts'

const shape = { files: 1_000_000, directories: 5000, flatShare: 0.25 }
const rounds = 5
const cases = [
  { shards: 8, bar: 1.5 },
  { shards: 512, bar: 2 },
] as const

/** Seconds from the manifest on disk to every shard file on disk: totals, cut and lists. */
export async function partition(source: Listing, shards: number, folder: string): Promise<number> {
  const start = performance.now()
  const tree = createTree()
  const folded = await scanManifest(source.manifestPath, (view) => {
    tree.add(view, view.fateByte)
  })
  const planned = await planShards({
    tree,
    manifestPath: source.manifestPath,
    policy: {
      cost: costModel(assumedRates.rsync.disks),
      workers: shards,
      shardsPerWorker: 1,
      shardSecondsMin: 0,
    },
  })
  if (!folded.ok || !planned.ok || planned.value.shards.length !== shards) throw new Error('the plan failed')
  const prefix = Buffer.from('./')
  const written = await writeShardLists({
    tree,
    plan: planned.value,
    manifestPath: source.manifestPath,
    folder,
    listEntry: (path) => Buffer.concat([prefix, path, Buffer.of(0)]),
    proof: 'size+mtime',
    links: 'list',
  })
  if (!written.ok) throw new Error('the lists failed')
  return (performance.now() - start) / 1000
}

async function fpart(source: Listing, shards: number, folder: string): Promise<number> {
  const start = performance.now()
  await execa('fpart', ['-a', '-n', String(shards), '-i', source.fpartList, '-o', join(folder, 'part')])
  return (performance.now() - start) / 1000
}

export async function run(): Promise<Row[]> {
  const source = await listing(await cacheFolder(), shape)
  const rows: Row[] = []
  for (const { shards, bar } of cases) {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < rounds; round++) {
      theirs.push(await withOutputFolder((folder) => fpart(source, shards, folder)))
      ours.push(await withOutputFolder((folder) => partition(source, shards, folder)))
    }
    const ratio = Math.min(...theirs) / Math.min(...ours)
    rows.push({
      id: 'b',
      measure: `partition only, ${shape.files.toLocaleString('en')} entries into ${shards}`,
      against: `fpart -a -n ${shards}`,
      ratio,
      bar: `≥ ${bar}`,
      ok: ratio >= bar,
      detail:
        `soxplan ${fixed(Math.min(...ours))} s, fpart ${fixed(Math.min(...theirs))} s, the fastest of ${rounds} in turns, since other load only adds; ` +
        `soxplan from its manifest to all files of all shards, fpart from a list of sizes and paths to lists of paths`,
    })
  }
  return rows
}
