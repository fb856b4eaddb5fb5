/** Facts about a run, in the order in which they were recorded. Everything that shows or resumes a run reads only these and the marks. */

import type { StepId } from '../units.ts'

export const journalVersion = 1

/** What an executor gave back for a handed-over step: Slurm's array id, or the local executor's own number. */
export type Ticket = string

export type Event =
  | {
      readonly kind: 'run'
      readonly version: number
      readonly run: string
      readonly executor: ExecutorKind
      readonly steps: readonly StepId[]
    }
  /** Recorded before the executor is called: a step whose ticket is missing may or may not have been handed over. */
  | { readonly kind: 'intent'; readonly step: StepId; readonly name: string }
  | { readonly kind: 'submitted'; readonly step: StepId; readonly ticket: Ticket }
  /** Nothing ran before this. */
  | { readonly kind: 'released' }
  | { readonly kind: 'withdrawn'; readonly reason: string }
  /** Another run of the same plan was started in its place. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'ended'; readonly step: StepId; readonly outcome: StepOutcome }
  | { readonly kind: 'detached' }
  /** All of it was ended on purpose. `by`: `user on host`. */
  | { readonly kind: 'cancelled'; readonly by: string }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'finished'; readonly failed: number }

export type ExecutorKind = 'local' | 'slurm'

/** `accounted`: every entry of every shard is proven or failed by name. `lost`: the workers are gone without having accounted for all. */
export type StepOutcome = 'accounted' | 'lost' | 'blocked'

/** An event as it stands in the journal: one JSON line with the time it was recorded. */
export type Recorded = Event & { readonly at: string }
