/** Measure a: the plan of a million-file tree with all its files (listing, manifest, shards, scripts), against `fpart -n 32` and `find`. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder, withOutputFolder } from './folders.ts'
import { fixed, mustRun } from './measure.ts'
import type { Row } from './row.ts'
import { smallFiles } from './trees.ts'

const files = 1_000_000
const rounds = 3
const soxplan = join(import.meta.dirname, '../bin/soxplan.js')

function planText(from: string, to: string): string {
  return `version: 1
name: planning
nodes: 4
transfers:
  tree: { from: ${JSON.stringify(from)}, to: ${JSON.stringify(to)}, tool: rsync }
`
}

/** Seconds of the whole command, Node's start included. */
async function ours(tree: string): Promise<number> {
  return withOutputFolder(async (folder) => {
    const plan = join(folder, 'plan.yaml')
    await writeFile(plan, planText(tree, join(folder, 'to')))
    const argv = [process.execPath, soxplan, 'plan', plan, '--executor', 'local', '--slots', '4']
    return (await mustRun([...argv, '--scripts', join(folder, 'scripts')])).seconds
  })
}

async function fpart(tree: string): Promise<number> {
  return withOutputFolder(
    async (folder) => (await mustRun(['fpart', '-n', '32', '-o', join(folder, 'part'), tree])).seconds,
  )
}

/** What listing alone costs: every entry's name and metadata, into a file. */
async function find(tree: string): Promise<number> {
  return withOutputFolder(
    async (folder) =>
      (await mustRun(['find', tree, '-fprintf', join(folder, 'listing'), '%y %s %T@ %i %n %P\\0'])).seconds,
  )
}

export async function run(): Promise<Row[]> {
  const tree = smallFiles(join(await cacheFolder(), `small-${files}`), files)
  // Once without counting, so that everyone finds the same directories in memory.
  await find(tree)
  const seconds = { ours: [] as number[], fpart: [] as number[], find: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    seconds.fpart.push(await fpart(tree))
    seconds.ours.push(await ours(tree))
    seconds.find.push(await find(tree))
  }
  const ratio = Math.min(...seconds.fpart) / Math.min(...seconds.ours)
  const told = (name: keyof typeof seconds): string =>
    `${fixed(Math.min(...seconds[name]))} s (${Math.round(files / Math.min(...seconds[name]) / 1000)} k files/s)`
  return [
    {
      id: 'a',
      measure: `plan a tree of ${files.toLocaleString('en')} files: listing, manifest, shards, scripts`,
      against: 'fpart -n 32',
      ratio,
      bar: '≥ 1.0',
      ok: ratio >= 1,
      detail: `soxplan ${told('ours')}, fpart ${told('fpart')}, bare find ${told('find')}; the fastest of ${rounds} in turns, warm`,
    },
  ]
}
