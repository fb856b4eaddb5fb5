/**
 * Plans a source of COUNT files in DIRECTORIES directories that exists only as the listing find would give, and says
 * how much memory that took at its peak. Arguments: FOLDER COUNT DIRECTORIES.
 */

import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeShardLists } from '../../src/edge/shard-lists.ts'
import { planShards } from '../../src/edge/shard-plan.ts'
import { listing } from './entries.ts'
import { must, peakMiB, takeIn } from './intake.ts'

const [folder = '', countText = '', directoriesText = ''] = process.argv.slice(2)
const count = Number(countText)
const directories = Number(directoriesText)

const started = performance.now()
function report(what: string): void {
  console.error(`${String(Math.round(performance.now() - started))} ms: ${what}`)
}

const manifestPath = join(folder, 'code.gz')
const lists = join(folder, 'shards')
await mkdir(lists)
const tree = await takeIn(listing({ count, directories }), manifestPath)
report('manifest and totals')
const cost = { secondsPerByte: 1e-9, secondsPerFile: 1e-3 }
const policy = { cost, workers: 32, shardsPerWorker: 8, shardSecondsMin: 60 }
const plan = must(await planShards({ tree, manifestPath, policy }))
report('cut')
const written = must(
  await writeShardLists({
    manifestPath,
    tree,
    plan,
    folder: lists,
    listEntry: (path) => Buffer.concat([Buffer.from('./'), path, Buffer.from('\0')]),
    proof: 'size+mtime',
    links: 'list',
  }),
)
report('shard lists')
const status = await readFile('/proc/self/status', 'utf8')
console.log(
  JSON.stringify({
    entries: written.entries,
    shards: plan.shards.length,
    peakMiB: peakMiB(status),
  }),
)
