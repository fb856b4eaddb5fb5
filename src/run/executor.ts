/** What runs steps, seen from the driver: this machine or Slurm. Both are told the whole graph first and released once. */

import type { Diagnostic, Result } from '../diagnostic.ts'
import type { Step } from '../graph/step.ts'
import type { ExecutorKind, Ticket } from './event.ts'

/** Where the workers of a handed-over step are. `unknown` is a state of its own: it is never success and never failure. */
export type Sighting =
  | { readonly phase: 'held' | 'unknown' }
  /** No worker is left. `ended`: how they ended, other than by themselves with success, as far as somebody still knows. */
  | { readonly phase: 'gone'; readonly ended?: readonly string[] }
  | { readonly phase: 'waiting'; readonly reason: string }
  | { readonly phase: 'running'; readonly workers: number }
  /** Can never start, because what it stands after failed. */
  | { readonly phase: 'blocked' }

/** True when something of it may still run. */
export function isAlive({ phase }: Sighting): boolean {
  return phase !== 'gone' && phase !== 'blocked'
}

/** The code of a refusal for want of room: a submit limit of the account, which ends when other jobs do. */
export const fullCode = 'SX513'

/** A step was refused only for now. */
export function isFull(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ code }) => code === fullCode)
}

/** Why a step that a submit limit keeps out waits, in the place of a reason of Slurm's. */
export const waitsForRoom: Sighting = { phase: 'waiting', reason: 'SubmitLimit' }

/** Slurm's reason for a worker that it holds because a node could not start it: a failing prolog, nearly always. */
export const launchFailed = 'launch failed requeued held'

export function isHeldByNode(sighting: Sighting): boolean {
  return sighting.phase === 'waiting' && sighting.reason === launchFailed
}

export interface Executor {
  readonly kind: ExecutorKind
  /** The name a step is handed over under; stands in the journal before `submit` is called. */
  nameOf(step: Step): string
  /**
   * Hands a step over; it starts when every ticket in `after` has ended well, and not before `release`, of it or, unless it is
   * `held` itself, of what it stands after. `isFull` tells a refusal for want of room.
   */
  submit(step: Step, after: readonly Ticket[], held?: boolean): Promise<Result<Ticket>>
  /** The ticket of a step that an earlier driver may have handed over; undefined where nobody did. */
  find(step: Step): Promise<Result<Ticket> | undefined>
  /**
   * Makes sure that exactly this was handed over, by name, and is still there; comes before `release`.
   * @param earlier what else of the run may be in the queue
   */
  confirm(tickets: ReadonlyMap<string, Ticket>, earlier?: readonly Ticket[]): Promise<Result<undefined>>
  /** Lets what is held start. */
  release(held: readonly Ticket[]): Promise<Result<undefined>>
  /**
   * Lets go again, for another node, what is held because a node could not start it, a few times each. Absent where no
   * node is between us and the workers.
   */
  readonly relaunch?: () => Promise<void>
  /** One look at all tickets. A query that fails, or that the user cuts short, gives `unknown`, not `gone`. */
  look(tickets: readonly Ticket[]): Promise<ReadonlyMap<Ticket, Sighting>>
  /**
   * Calls the listener whenever the workers of a step have ended, until the function that it returns is called. Absent
   * where only a look can tell.
   */
  readonly onStepEnd?: (listener: () => void) => () => void
  /** Ends everything of the run, what an earlier driver handed over too, and returns once nothing of it is left. */
  cancel(): Promise<Result<undefined>>
}
