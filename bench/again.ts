/** Measures f and g: a second apply of what is there already, and how soon the program answers at all. */

import path from 'node:path'
import { cacheFolder, withOutputFolder } from './folders.ts'
import { fixed, inTurn, mustRun } from './measure.ts'
import { median } from './row.ts'
import type { Row } from './row.ts'
import { applyLocal, soxplan, writePlan } from './soxplan.ts'
import { smallFiles } from './trees.ts'

const FILES = 200_000
const AGAIN_BAR = 0.7
const START_BAR = 1.5

export async function run(): Promise<Row[]> {
  return [await again(), await start()]
}

async function again(): Promise<Row> {
  const from = smallFiles(path.join(await cacheFolder(), 'small'), FILES)
  return withOutputFolder(async (folder) => {
    const plan = await writePlan(path.join(folder, 'plan'), { data: { from, to: path.join(folder, 'ours') } })
    const rclone = ['rclone', 'copy', '--config', '', from, path.join(folder, 'theirs')]
    const { ours, theirs } = await inTurn(
      async () => (await applyLocal(plan, 2)).seconds,
      async () => (await mustRun(rclone)).seconds,
      5,
    )
    const ratio = median(ours) / median(theirs)
    return {
      id: 'f',
      measure: `second apply of a finished, unchanged plan of ${FILES.toLocaleString('en')} files`,
      against: 'a second rclone copy',
      ratio,
      bar: `≤ ${AGAIN_BAR}`,
      ok: ratio <= AGAIN_BAR,
      detail: `soxplan ${fixed(median(ours))} s, rclone ${fixed(median(theirs))} s, medians of 5 in turns`,
    }
  })
}

async function start(): Promise<Row> {
  const { ours, theirs } = await inTurn(
    async () => (await mustRun(soxplan('--version'))).seconds,
    async () => (await mustRun([process.execPath, '-e', '0'])).seconds,
    20,
  )
  const ratio = median(ours) / median(theirs)
  return {
    id: 'g',
    measure: 'soxplan --version',
    against: 'node -e 0',
    ratio,
    bar: `≤ ${START_BAR}`,
    ok: ratio <= START_BAR,
    detail: `soxplan ${(median(ours) * 1000).toFixed(0)} ms, node ${(median(theirs) * 1000).toFixed(0)} ms, medians of 20 in turns`,
  }
}
