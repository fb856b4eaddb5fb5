/** What must hold when a run is over, whatever happened to it on the way. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compareTrees } from '../rig/compare.ts'
import type { Scenario } from './scenario.ts'

/** How the destinations differ from their sources, a line each. */
export async function differences({ ends }: Scenario): Promise<readonly string[]> {
  const found = await Promise.all(
    ends.map(([from, to]) =>
      compareTrees(from, to, { mtimes: true }).catch((error: unknown) => [`${to}: ${String(error)}`]),
    ),
  )
  return found.flat()
}

/** What is wrong with the runs of a scenario, a line each; empty when all is well. */
export async function violations(scenario: Scenario): Promise<readonly string[]> {
  const state = join(scenario.folder, '.soxplan')
  const runs = (await readdir(join(state, 'runs'))).filter((name) => !name.startsWith('.'))
  const found = await Promise.all(runs.map((run) => ofRun(join(state, 'runs', run))))
  const left = (await readdir(state)).filter((name) => name !== 'runs' && name !== '.gitignore')
  return [...(await differences(scenario)), ...found.flat(), ...left.map((name) => `left behind: ${name}`)]
}

async function ofRun(folder: string): Promise<readonly string[]> {
  const journal = (await readFile(join(folder, 'events.jsonl'), 'utf8')).split('\n')
  const torn = journal.filter((line) => line !== '' && !isJson(line)).map((line) => `journal: ${line}`)
  return [...torn, ...(await committedTwice(folder))]
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

/** Shards for which more than one attempt has the verdict `done`. */
async function committedTwice(folder: string): Promise<readonly string[]> {
  const done = new Map<string, number>()
  const stages = join(folder, 'stages')
  for (const name of await readdir(stages, { recursive: true })) {
    const shard = /^(.*\/work\/[^/]+)\/\d+\.end$/.exec(name)?.[1]
    if (shard === undefined) continue
    if (!/^result done$/m.test(await readFile(join(stages, name), 'utf8'))) continue
    done.set(shard, (done.get(shard) ?? 0) + 1)
  }
  return [...done]
    .filter(([, count]) => count > 1)
    .map(([shard, count]) => `${shard}: committed ${count} times`)
}
