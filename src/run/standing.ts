/** Where a run stands for whoever looks at it from outside: folded from its journal, its jobs and its driver. */

import type { ExecutorKind } from './event.ts'
import { isAlive } from './executor.ts'
import type { Sighting } from './executor.ts'
import type { RunState } from './state.ts'

export type Standing =
  | { readonly kind: 'finished'; readonly failed: number }
  /** Nothing of it ever ran, or another run took its place. */
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'running' }
  /** Handed over and not released: whoever submitted it is still at it, or was ended on the way. */
  | { readonly kind: 'held' }
  /** The queue does not answer. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'cancelled'; readonly by: string }
  /** Nobody works on it, and not all of it has a proof. */
  | { readonly kind: 'unfinished' }

/** What is seen of an open run besides its journal. */
export interface Outside {
  readonly executor: ExecutorKind
  /** A soxplan follows it and drives its workers, where those run on its machine. */
  readonly isDriven: boolean
  /** Of its jobs on Slurm. */
  readonly sightings: readonly Sighting[]
}

/** The words of `runs`, `status` and their JSON. */
export function standingOf(state: RunState, outside: Outside): Standing {
  if (state.end === 'finished') return { kind: 'finished', failed: state.failed ?? 0 }
  if (state.end === 'withdrawn') return { kind: 'withdrawn' }
  const { executor, isDriven, sightings } = outside
  if (sightings.some(({ phase }) => phase === 'unknown')) return { kind: 'unknown' }
  if (sightings.some(isAlive)) return { kind: state.isReleased ? 'running' : 'held' }
  if (isDriven) return { kind: executor === 'slurm' && !state.isReleased ? 'held' : 'running' }
  return state.cancelledBy === undefined
    ? { kind: 'unfinished' }
    : { kind: 'cancelled', by: state.cancelledBy }
}
