/** Finds earlier runs: the one that a second apply of the same plan goes on with, and whether one has finished. */

import { parseRecord } from '../run/record.ts'
import type { RunRecord } from '../run/record.ts'
import { fold } from '../run/state.ts'
import type { RunState } from '../run/state.ts'
import { readJournal } from './journal.ts'
import { listRuns, readIfThere, runPaths } from './run-folder.ts'
import type { RunPaths } from './run-folder.ts'
import path from 'node:path'

export interface KnownRun {
  readonly paths: RunPaths
  readonly record: RunRecord
  readonly state: RunState
  /** Lines of its journal that are not what was written, from 1. */
  readonly damagedLines: readonly number[]
}

/** Older runs than this many are not looked at: an unfinished one that far back is history. */
const RUNS_LOOKED_AT_MAX = 50

/** A run that neither finished nor was withdrawn. */
export type UnfinishedRun = KnownRun

/** The latest runs, whatever became of them, newest first. */
export async function knownRuns(stateDir: string): Promise<readonly KnownRun[]> {
  const found: KnownRun[] = []
  for (const run of (await listRuns(stateDir)).slice(0, RUNS_LOOKED_AT_MAX)) {
    const known = await readRun(runPaths(path.join(stateDir, 'runs', run)))
    if (known !== undefined) found.push(known)
  }
  return found
}

/** What a run folder holds; undefined where there is no run in it. Throws what the file system says otherwise. */
export async function readRun(paths: RunPaths): Promise<KnownRun | undefined> {
  const record = parseRecord((await readIfThere(paths.plan)) ?? '')
  if (record === undefined) return undefined
  const { events, damagedLines } = await readJournal(paths.events)
  return { paths, record, state: fold(events), damagedLines }
}

/** Of these, what is still to be gone on with. */
export function unfinishedOf(runs: readonly KnownRun[]): readonly UnfinishedRun[] {
  return runs.filter(({ state }) => state.end === 'open')
}

/** True when a plan of this digest was carried out to its end before. */
export function hasFinished(runs: readonly KnownRun[], digest: string): boolean {
  return runs.some(({ record, state }) => state.end === 'finished' && record.digest === digest)
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
