/** Ends everything of a run that Slurm still has, found by name: an id may be unknown, or another job's by now. */

import { fail, failWith, ok } from '../../diagnostic.ts'
import type { Result } from '../../diagnostic.ts'
import { isLive } from './parse.ts'
import type { Call, Queue } from './queue.ts'
import { refusal } from './refusal.ts'

/**
 * After a scancel, how often and how long the queue is asked whether anything is left: after a second, and then ever less
 * often, four minutes in all. KillWait may be 180 s.
 */
const LOOK_MILLIS = 1000
const LOOK_GROWTH = 1.3
const LOOK_MILLIS_MAX = 15_000
const LOOKS_MAX = 25
/** Looks in a row without an answer before the controller is taken for gone. */
const SILENT_LOOKS_MAX = 3
/** Ids on one command line: one scancel per run nearly always, and never a line that is too long. */
const IDS_MAX = 500

/** scancel answers 0 for ids that it does not know, so the queue is asked until nothing of the run is left. */
export async function cancelAll(
  call: Call,
  queue: Queue,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<Result<undefined>> {
  const told = new Set<string>()
  let silent = 0
  let left: readonly string[] = []
  for (let looks = 0; looks < LOOKS_MAX && silent < SILENT_LOOKS_MAX; looks++) {
    if (looks > 0) await sleep(Math.min(LOOK_MILLIS_MAX, LOOK_MILLIS * LOOK_GROWTH ** (looks - 1)))
    const rows = await queue()
    silent = rows === undefined ? silent + 1 : 0
    if (rows === undefined) continue
    left = [...new Set(rows.filter(isLive).map(({ arrayId }) => arrayId))]
    if (left.length === 0) return ok(undefined)
    const untold = left.filter((id) => !told.has(id))
    for (let start = 0; start < untold.length; start += IDS_MAX) {
      const ids = untold.slice(start, start + IDS_MAX)
      const answer = await call(['scancel', '--quiet', ...ids])
      if (!answer.ok) return fail([refusal('scancel', answer.error)])
      for (const id of ids) told.add(id)
    }
  }
  if (silent > 0) {
    return failWith(
      'SX501',
      'The Slurm controller does not say whether jobs of this run are left',
      'Apply again when `scontrol ping` says UP: what is left is found by its name and ended first.',
    )
  }
  return failWith(
    'SX504',
    'Some jobs are still in the queue after scancel',
    `Look at them with: squeue --jobs=${left.join(',')}`,
  )
}
