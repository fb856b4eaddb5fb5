/** Finds the run that a second apply of the same plan goes on with. */

import { parseRecord } from '../run/record.ts'
import type { RunRecord } from '../run/record.ts'
import { fold } from '../run/state.ts'
import type { RunState } from '../run/state.ts'
import { readJournal } from './journal.ts'
import { listRuns, readIfThere, runPaths } from './run-folder.ts'
import type { RunPaths } from './run-folder.ts'
import path from 'node:path'

export interface UnfinishedRun {
  readonly paths: RunPaths
  readonly record: RunRecord
  readonly state: RunState
}

/** Older runs than this many are not looked at: an unfinished one that far back is history. */
const RUNS_LOOKED_AT_MAX = 50

/** Runs that neither finished nor were withdrawn, newest first. */
export async function unfinishedRuns(stateDir: string): Promise<readonly UnfinishedRun[]> {
  const found: UnfinishedRun[] = []
  for (const run of (await listRuns(stateDir)).slice(0, RUNS_LOOKED_AT_MAX)) {
    const paths = runPaths(path.join(stateDir, 'runs', run))
    const record = parseRecord((await readIfThere(paths.plan)) ?? '')
    if (record === undefined) continue
    const state = fold(await readJournal(paths.events))
    if (state.end === 'open') found.push({ paths, record, state })
  }
  return found
}

/**
 * Ids of the jobs under which a run's steps were handed over, whatever became of them. Workers on this machine have
 * none, also while a run of Slurm does what it has to do here first.
 */
export function ticketsOf(state: RunState): ReadonlyMap<RunRecord['steps'][number]['id'], string> {
  if (state.executor === 'local') return new Map()
  return new Map(
    [...state.steps].flatMap(([step, at]) => {
      const ticket = at.at === 'submitted' || at.at === 'ended' ? at.ticket : undefined
      return ticket === undefined ? [] : [[step, ticket] as const]
    }),
  )
}
