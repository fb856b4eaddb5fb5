/** The other half of measure c: what a worker adds to each shard. */

import path from 'node:path'
import { cacheFolder, withOutputFolder } from './folders.ts'
import { fixed, mustRun } from './measure.ts'
import { median } from './row.ts'
import type { Row } from './row.ts'
import { manyShards, soxplan, writePlan } from './soxplan.ts'
import { smallFiles } from './trees.ts'

const TINY_FILES = 104
const SLOTS = 13
const ROUNDS = 3
const BAR_MILLIS = 50

interface Round {
  readonly workerSeconds: number
  readonly bareSeconds: number
  readonly shards: number
}

/** A stage of one-file shards against bare calls of the same tool with the same lists. */
async function measured(from: string): Promise<Round> {
  return withOutputFolder(async (folder) => {
    const to = path.join(folder, 'to')
    const plan = await writePlan(path.join(folder, 'plan'), { data: { from, to, tool: 'rsync' } })
    const scripts = path.join(folder, 'scripts')
    await mustRun(
      soxplan('plan', plan.file, '--executor', 'local', '--slots', String(SLOTS), '--scripts', scripts),
      { env: manyShards },
    )
    const stage = path.join(scripts, 'stages', 'data.copy')
    const worker = await mustRun(['bash', path.join(stage, 'script.sh')], { cwd: stage })
    const loop =
      'n=0; for list in shards/*.list; do rsync -lptgoD --from0 --files-from="$list" "$1/" "$2/" || exit; n=$((n + 1)); done; echo $n'
    const tools = await mustRun(['bash', '-c', loop, 'loop', from, path.join(folder, 'bare')], { cwd: stage })
    return { workerSeconds: worker.seconds, bareSeconds: tools.seconds, shards: Number(tools.stdout) }
  })
}

export async function run(): Promise<Row[]> {
  const from = smallFiles(path.join(await cacheFolder(), 'tiny'), TINY_FILES)
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measured(from))
  const millis = median(
    rounds.map(({ workerSeconds, bareSeconds, shards }) => ((workerSeconds - bareSeconds) / shards) * 1000),
  )
  const [worker, bare] = [
    median(rounds.map(({ workerSeconds }) => workerSeconds)),
    median(rounds.map(({ bareSeconds }) => bareSeconds)),
  ]
  return [
    {
      id: 'c',
      measure: 'what a worker adds to one shard, milliseconds',
      against: 'bare rsync with the same list',
      ratio: millis,
      bar: `≤ ${BAR_MILLIS} ms`,
      ok: millis <= BAR_MILLIS,
      detail: `${rounds[0]?.shards ?? 0} shards: worker ${fixed(worker)} s, bare calls ${fixed(bare)} s, medians of ${ROUNDS}; claim, account and verdict included`,
    },
  ]
}
