/** How far a run is, as numbers: what the driver sees at each tick and what every view draws. */

import type { Step } from '../graph/step.ts'
import type { Shard } from '../shard/shard.ts'
import type { StepOutcome } from './event.ts'
import type { Sighting } from './executor.ts'
import type { Mark } from './mark.ts'

export interface StepProgress {
  readonly step: Step
  readonly sighting: Sighting | undefined
  readonly outcome: StepOutcome | undefined
  /** Verdicts of the shards that are over. */
  readonly marks: readonly Mark[]
  readonly shardsRunning: number
  /** Bytes that running tools say they have moved, on top of what the marks prove. */
  readonly bytesUnderWay: number
}

export interface Progress {
  readonly steps: readonly StepProgress[]
  readonly elapsedMillis: number
}

/** Sums over the marks of one step. `unaccounted`: entries of shards whose last attempt failed as a whole. */
export interface Tally {
  readonly shards: number
  readonly entries: number
  readonly bytes: number
  readonly failed: number
  readonly unaccounted: number
}

export function entriesOf({ files, directories, symlinks }: Shard): number {
  return files + directories + symlinks
}

export function tallyOf(progress: StepProgress): Tally {
  const entries = new Map(progress.step.shards.map((shard) => [shard.id, entriesOf(shard)]))
  const start: Tally = { shards: 0, entries: 0, bytes: 0, failed: 0, unaccounted: 0 }
  return progress.marks.reduce((sum, mark) => {
    if (mark.result !== 'done') {
      return {
        ...sum,
        shards: sum.shards + 1,
        unaccounted: sum.unaccounted + (entries.get(mark.shard) ?? 0),
      }
    }
    return {
      ...sum,
      shards: sum.shards + 1,
      entries: sum.entries + mark.files,
      bytes: sum.bytes + mark.bytes,
      failed: sum.failed + mark.failed,
    }
  }, start)
}

/** Every shard has a verdict that no later attempt can change. */
export function isAccountedFor({ marks, step }: Pick<StepProgress, 'marks' | 'step'>): boolean {
  return marks.length === step.shards.length
}

/** True when nothing of this step failed: every shard has a verdict `done` that names no failed entry. */
export function isClean(progress: StepProgress): boolean {
  const tally = tallyOf(progress)
  return progress.outcome === 'accounted' && tally.failed === 0 && tally.unaccounted === 0
}
