/** Measure e: a graph of five transfers and about a thousand shards, handed to a real Slurm. */

import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startLab } from '../test/lab/lab.ts'
import type { Lab } from '../test/lab/lab.ts'
import { withOutputFolder } from './folders.ts'
import { fixed, timed } from './measure.ts'
import type { Row } from './row.ts'
import { manyShards, soxplan, writePlan } from './soxplan.ts'

const TRANSFERS = 5
const SHARDS_EACH = 200
const SHARDS_PER_WORKER = 8
const FILES_EACH = 2000

export async function run(): Promise<Row[]> {
  await using lab = await startLab()
  const mine = await withOutputFolder((folder) => ours(lab, folder))
  const theirs = await withOutputFolder((folder) => oneEach(lab, folder, mine.shards))
  const limit = mine.stages + 2
  return [
    {
      id: 'e',
      measure: `sbatch calls for ${TRANSFERS} transfers, ${mine.shards} shards, ${mine.stages} stages`,
      against: 'one sbatch per shard',
      ratio: mine.calls / theirs.calls,
      bar: `≤ ${limit} calls (stages + 2)`,
      ok: mine.calls <= limit,
      detail: `soxplan ${mine.calls} calls, by hand ${theirs.calls}`,
    },
    {
      id: 'e',
      measure: 'seconds until the whole graph is with Slurm, listing and lists included',
      against: 'the submit loop of one sbatch per shard',
      ratio: mine.submittedSeconds / theirs.submittedSeconds,
      bar: '≤ 1',
      ok: mine.submittedSeconds <= theirs.submittedSeconds,
      detail:
        `soxplan ${fixed(mine.submittedSeconds)} s, first byte at a destination after ${fixed(mine.firstByteSeconds)} s; ` +
        `by hand ${fixed(theirs.submittedSeconds)} s, first byte after ${fixed(theirs.firstByteSeconds)} s`,
    },
  ]
}

interface Ours {
  readonly shards: number
  readonly stages: number
  readonly calls: number
  readonly submittedSeconds: number
  readonly firstByteSeconds: number
}

async function ours(lab: Lab, folder: string): Promise<Ours> {
  const transfers: Record<string, { from: string; to: string; nodes: number }> = {}
  for (let index = 0; index < TRANSFERS; index++) {
    const from = path.join(folder, `from${index}`)
    await mkdir(from)
    for (let file = 0; file < FILES_EACH; file++)
      await writeFile(path.join(from, `f${file}`), 'x'.repeat(100 + (file % 900)))
    transfers[`t${index}`] = {
      from,
      to: path.join(folder, `to${index}`),
      nodes: SHARDS_EACH / SHARDS_PER_WORKER,
    }
  }
  const plan = await writePlan(path.join(folder, 'plan'), transfers)
  const shim = await lab.shim('sbatch', { pass: true })
  const env = { ...shim.env, ...manyShards, SOXPLAN_TICK_MILLIS: '500' }
  const start = performance.now()
  const applied = timed(
    soxplan('apply', plan.file, '--executor', 'slurm', '--state', plan.state, '--yes', '--detach'),
    { env },
  )
  const seconds = firstFile(Object.values(transfers).map(({ to }) => to)).then(
    () => (performance.now() - start) / 1000,
  )
  const submittedSeconds = (await applied).seconds
  const firstByteSeconds = await seconds
  const calls = (await shim.calls()).length
  await shim.remove()
  await lab.scancel('--me')
  await lab.until('the queue is empty', async () => (await lab.squeue('--noheader')) === '', 120_000)
  const run = (await readdir(path.join(plan.state, 'runs')))[0] ?? ''
  const stages = await readdir(path.join(plan.state, 'runs', run, 'stages'))
  const copies = stages.filter((name) => name.endsWith('.copy'))
  const counts = await Promise.all(
    copies.map(
      async (name) => (await readdir(path.join(plan.state, 'runs', run, 'stages', name, 'work'))).length,
    ),
  )
  return {
    shards: counts.reduce((sum, count) => sum + count, 0),
    stages: stages.length,
    calls,
    submittedSeconds,
    firstByteSeconds,
  }
}

/** What people do by hand: a job for every part. Each job copies one file, which is less than a shard. */
async function oneEach(lab: Lab, folder: string, count: number): Promise<Omit<Ours, 'shards' | 'stages'>> {
  const source = path.join(folder, 'source')
  await writeFile(source, 'x')
  const to = path.join(folder, 'to')
  await mkdir(to)
  const loop = `for i in $(seq ${count}); do sbatch --parsable --output=/dev/null --wrap="cp '${source}' '${to}/$i'" || exit; done`
  const start = performance.now()
  const seconds = firstFile([to]).then(() => (performance.now() - start) / 1000)
  const submitted = await timed(['bash', '-c', loop], { env: lab.env })
  if (submitted.exitCode !== 0) throw new Error('submitting by hand failed')
  const firstByteSeconds = await seconds
  await lab.scancel('--me')
  return { calls: count, submittedSeconds: submitted.seconds, firstByteSeconds }
}

async function firstFile(folders: readonly string[]): Promise<void> {
  for (;;) {
    for (const folder of folders) {
      const names = await readdir(folder).catch(() => [])
      if (names.length > 0) return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
