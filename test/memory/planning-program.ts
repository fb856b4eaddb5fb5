/**
 * Plans a source of COUNT files in DIRECTORIES directories that exists only as the listing find would give, and says
 * how much memory that took at its peak. Arguments: FOLDER COUNT DIRECTORIES.
 */

import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lookAtNothing } from '../../src/edge/look-destination.ts'
import { createManifestWriter } from '../../src/edge/manifest-file.ts'
import { writeShardLists } from '../../src/edge/shard-lists.ts'
import { planShards } from '../../src/edge/shard-plan.ts'
import { createIntake } from '../../src/edge/survey-intake.ts'
import { createTree } from '../../src/inventory/directories.ts'
import type { Result } from '../../src/diagnostic.ts'

const [folder = '', countText = '', directoriesText = ''] = process.argv.slice(2)
const count = Number(countText)
const directories = Number(directoriesText)

function must<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(result.error.map(({ what }) => what).join('\n'))
  return result.value
}

/** What find says, a thousand entries at a time. Sizes from 0 to 1 MiB, one in a thousand of 1 GiB. */
function* listing(): Generator<Buffer> {
  const perDirectory = Math.ceil(count / directories)
  let text = ''
  for (let at = 0; at < count; at++) {
    const directory = `d${String(Math.floor(at / perDirectory)).padStart(6, '0')}`
    if (at % perDirectory === 0) text += `d 4096 1700000000.1234567890 64768 ${at} 2 755 0 0 ${directory}\0\0`
    const size = at % 1000 === 0 ? 2 ** 30 : (at * 7919) % 2 ** 20
    text += `f ${size} 1700000000.1234567890 64768 ${at} 1 644 1000 1000 ${directory}/sample-${at}.bin\0\0`
    if (at % 1000 !== 999 && at !== count - 1) continue
    yield Buffer.from(text)
    text = ''
  }
}

const started = performance.now()
function report(what: string): void {
  console.error(`${String(Math.round(performance.now() - started))} ms: ${what}`)
}

const manifestPath = join(folder, 'code.gz')
const lists = join(folder, 'shards')
await mkdir(lists)
const tree = createTree()
const writer = createManifestWriter(manifestPath)
const intake = createIntake({
  tree,
  writer,
  look: lookAtNothing(),
  policy: {
    existing: 'update',
    comparison: 'size+mtime',
    proveAll: false,
    symlinks: 'keep',
    destination: 'local',
  },
  filter: undefined,
  rcloneCarries: false,
  awsCarries: false,
  translatesLinks: false,
  sourceRoot: { kind: 'local', path: '/from' },
  destinationRoot: { kind: 'local', path: '/to' },
})
for (const chunk of listing()) await intake.push(chunk)
must(await intake.end())
must(await writer.close())
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
const peakKiB = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1])
console.log(
  JSON.stringify({
    entries: written.entries,
    shards: plan.shards.length,
    peakMiB: Math.ceil(peakKiB / 1024),
  }),
)
