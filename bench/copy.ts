/** Measure c: one whole apply, from listing to proof, against the tools themselves and fpsync. */

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { cacheFolder, withOutputFolder } from './folders.ts'
import { fixed, mustRun } from './measure.ts'
import { median } from './row.ts'
import type { Row } from './row.ts'
import { applyLocal, manyShards, writePlan } from './soxplan.ts'
import { bigFiles, smallFiles } from './trees.ts'

const SMALL_FILES = 200_000
const ROUNDS = 3
const RCLONE_BAR = 1.1
const SHARDS = 8

type Copy = (from: string, to: string) => Promise<number>

/** Eight shards, one after another: one worker, and the policy's eight shards per worker. */
const ours: Copy = async (from, to) => {
  const plan = await writePlan(`${to}.plan`, { data: { from, to } })
  return (await applyLocal(plan, 1, manyShards)).seconds
}
const rclone: Copy = async (from, to) => (await mustRun(['rclone', 'copy', '--config', '', from, to])).seconds
const rsync: Copy = async (from, to) => (await mustRun(['rsync', '-a', `${from}/`, `${to}/`])).seconds
const fpsync: Copy = async (from, to) => {
  await mkdir(to, { recursive: true })
  return (await mustRun(['fpsync', '-n', '1', '-t', `${to}.work`, from, to])).seconds
}

/** The same start for everyone: rclone drops each source file from the page cache behind itself, and who comes next waits for the disk. */
async function warm(from: string): Promise<void> {
  await mustRun(['sh', '-c', 'find "$1" -type f -print0 | xargs -0 cat >/dev/null', 'warm', from])
}

async function seconds(copies: Readonly<Record<string, Copy>>, from: string): Promise<Map<string, number>> {
  const all = new Map<string, number[]>(Object.keys(copies).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, copy] of Object.entries(copies)) {
      await warm(from)
      all.get(name)?.push(await withOutputFolder((folder) => copy(from, path.join(folder, 'to'))))
    }
  }
  return new Map([...all].map(([name, values]) => [name, median(values)]))
}

export async function run(): Promise<Row[]> {
  const cache = await cacheFolder()
  const small = await seconds(
    { ours, rclone, rsync, fpsync },
    smallFiles(path.join(cache, 'small'), SMALL_FILES),
  )
  const big = await seconds({ ours, rclone, fpsync }, bigFiles(path.join(cache, 'big'), 16, 256))
  const against = (what: string, of: ReadonlyMap<string, number>, rival: string, bar: number): Row => {
    const mine = of.get('ours') ?? NaN
    const theirs = of.get(rival) ?? NaN
    const ratio = mine / theirs
    return {
      id: 'c',
      measure: `apply ${what}, ${SHARDS} shards one after another, proof included`,
      against: rival,
      ratio,
      bar: bar === Infinity ? 'none' : `≤ ${bar}`,
      ok: ratio <= bar,
      detail: `soxplan ${fixed(mine)} s, ${rival} ${fixed(theirs)} s, medians of ${ROUNDS} in turns`,
    }
  }
  const smallText = `${SMALL_FILES.toLocaleString('en')} small files`
  const bigText = '4 GiB in 16 files'
  return [
    against(smallText, small, 'rclone', RCLONE_BAR),
    against(smallText, small, 'fpsync', 1),
    against(smallText, small, 'rsync', Infinity),
    against(bigText, big, 'rclone', RCLONE_BAR),
    against(bigText, big, 'fpsync', 1),
  ]
}
