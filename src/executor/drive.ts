/** Follows what was handed over by its marks, and says how it ended. Local and Slurm differ only behind the port. */

import type { Diagnostic } from '../diagnostic.ts'
import { readShard, tailOf } from '../edge/marks.ts'
import type { Journal } from '../edge/journal.ts'
import type { StepGraph } from '../graph/dag.ts'
import type { Step } from '../graph/step.ts'
import { outcomeOf } from '../run/decide.ts'
import type { StepOutcome, Ticket } from '../run/event.ts'
import { isHeldByNode, waitsForRoom } from '../run/executor.ts'
import type { Executor, Sighting } from '../run/executor.ts'
import type { Mark } from '../run/mark.ts'
import type { Progress, StepProgress } from '../run/progress.ts'
import type { StepId } from '../units.ts'
import { openWindow } from './window.ts'

export interface DriveContext {
  readonly graph: StepGraph
  readonly executor: Executor
  readonly journal: Journal
  stageFolder(step: Step): string
  /** Bytes moved so far by the tool of a step, read off the tail of its log. */
  bytesUnderWay(step: Step, logTail: string): number | undefined
  readonly onProgress: (progress: Progress) => void
  /** Until the next look, for a run that has been followed for so long. */
  readonly tickMillis: (elapsedMillis: number) => number
  /** Resolves early when `interrupt` fires, and where the executor tells when a step has ended. */
  readonly sleep: (milliseconds: number) => Promise<void>
  readonly now: () => number
  readonly interrupt: AbortSignal
  /**
   * What to do where not all fits into the queue: `stay` and hand over the rest as room comes up, `leave` it to a later
   * driver, or `refuse` all of it.
   */
  readonly whenFull: 'stay' | 'leave' | 'refuse'
  /** Until room in the queue is looked for again. */
  readonly roomMillis: number
  /** What was refused after the release, so that the rest of the run goes on without it. */
  readonly onTrouble: (diagnostics: readonly Diagnostic[]) => void
  /** Tells the user why nothing happens. */
  readonly notify: (line: string) => void
  /** Who wants all of it to end, where that is why `interrupt` has fired. */
  cancelledBy(): Promise<string | undefined>
}

/** What it takes to look at the marks of a run that nobody drives. */
export type MarksContext = Pick<DriveContext, 'graph' | 'stageFolder' | 'bytesUnderWay'>

/** What the executor gave back for each step that was handed over. */
export type Tickets = ReadonlyMap<StepId, Ticket>

export interface HandedOver {
  readonly tickets: Tickets
  /** What the marks said before. Verdicts are final, so whoever follows need not read those again. */
  readonly seen: ReadonlyMap<StepId, StepProgress>
  /** Steps that did not fit into the queue. */
  readonly waiting: readonly StepId[]
  /** An earlier driver handed it over. */
  readonly isAttached: boolean
}

export type DriveEnd =
  /** Every step is over, one way or another. */
  | { readonly kind: 'over'; readonly progress: Progress }
  /** A part was refused, and nothing was released. `left`: why not all that had been handed over was taken back. */
  | {
      readonly kind: 'refused'
      readonly diagnostics: readonly Diagnostic[]
      readonly left: readonly Diagnostic[]
    }
  /** Stopped by the user before anything was released, or for good; resumable. */
  | {
      readonly kind: 'interrupted'
      readonly progress: Progress | undefined
      readonly left: readonly Diagnostic[]
    }
  /** Ended because somebody said `cancel`; resumable. `left`: what could not be ended. */
  | { readonly kind: 'cancelled'; readonly by: string; readonly left: readonly Diagnostic[] }
  /** Left to Slurm; the jobs go on. */
  | { readonly kind: 'detached'; readonly progress: Progress; readonly waiting: readonly StepId[] }

/** What the marks say of every step: nothing at all in a fresh run. */
export async function lookAtAll(context: MarksContext): Promise<HandedOver['seen']> {
  const seen = new Map<StepId, StepProgress>()
  for (const step of context.graph.steps) seen.set(step.id, await lookAt(context, fresh(step), undefined))
  return seen
}

/** Follows handed-over steps until all are over or the user has had enough. */
export async function follow(context: DriveContext, handed: HandedOver): Promise<DriveEnd> {
  const { graph, executor, journal } = context
  const { seen } = handed
  const tickets = new Map(handed.tickets)
  const room = openWindow(context, new Set(handed.waiting), tickets, handed.isAttached)
  const looks = new Map<StepId, number>()
  const states = new Map(graph.steps.map((step) => [step.id, seen.get(step.id) ?? fresh(step)]))
  const startMillis = context.now()
  for (;;) {
    // The queue is asked first and the marks are read after it: a worker that ended in between has left its mark.
    const sightings = await executor.look([...tickets.values()])
    for (const step of graph.steps) {
      const before = states.get(step.id) ?? fresh(step)
      if (before.outcome !== undefined) continue
      const ticket = tickets.get(step.id)
      const sighting: Sighting =
        ticket !== undefined
          ? (sightings.get(ticket) ?? { phase: 'unknown' })
          : room.waiting.has(step.id)
            ? waitsForRoom
            : { phase: 'gone' }
      const now = await lookAt(context, before, sighting)
      const isSame = before.sighting?.phase === sighting.phase
      looks.set(step.id, isSame ? (looks.get(step.id) ?? 0) + 1 : 1)
      const outcome: StepOutcome | undefined = outcomeOf(now, looks.get(step.id) ?? 1, graph, states)
      states.set(step.id, { ...now, outcome })
      if (outcome !== undefined) await journal.append({ kind: 'ended', step: step.id, outcome })
    }
    const progress: Progress = { steps: [...states.values()], elapsedMillis: context.now() - startMillis }
    // A look that the user has cut short says nothing worth a line.
    if (!context.interrupt.aborted) context.onProgress(progress)
    if (progress.steps.every(({ outcome }) => outcome !== undefined)) {
      // Where Slurm does not end jobs that can never start, they would stand in the queue for ever.
      if (progress.steps.some(({ sighting }) => sighting?.phase === 'blocked')) await executor.cancel()
      return { kind: 'over', progress }
    }
    if (context.interrupt.aborted) return leave(context, progress, [...room.waiting])
    await room.admit(states)
    if ([...sightings.values()].some(isHeldByNode)) await executor.relaunch?.()
    await context.sleep(context.tickMillis(progress.elapsedMillis))
  }
}

/** Slurm goes on without us; workers on this machine are stopped, because nobody would see them. A cancel stops both. */
async function leave(
  context: DriveContext,
  progress: Progress,
  waiting: readonly StepId[],
): Promise<DriveEnd> {
  const by = await context.cancelledBy()
  if (by !== undefined) {
    const cancelled = await context.executor.cancel()
    if (cancelled.ok) await context.journal.append({ kind: 'cancelled', by })
    return { kind: 'cancelled', by, left: cancelled.ok ? [] : cancelled.error }
  }
  if (context.executor.kind === 'slurm') {
    await context.journal.append({ kind: 'detached' })
    return { kind: 'detached', progress, waiting }
  }
  const cancelled = await context.executor.cancel()
  await context.journal.append({ kind: 'interrupted' })
  return { kind: 'interrupted', progress, left: cancelled.ok ? [] : cancelled.error }
}

/** Nothing is known of it yet. */
function fresh(step: Step): StepProgress {
  return { step, sighting: undefined, outcome: undefined, marks: [], shardsRunning: 0, bytesUnderWay: 0 }
}

/** Reads the shards that are not over yet. */
async function lookAt(
  context: MarksContext,
  before: StepProgress,
  sighting: Sighting | undefined,
): Promise<StepProgress> {
  const { step } = before
  const folder = context.stageFolder(step)
  const over = new Set(before.marks.map((mark) => mark.shard))
  const marks: Mark[] = [...before.marks]
  let shardsRunning = 0
  let bytesUnderWay = 0
  for (const shard of step.shards) {
    if (over.has(shard.id)) continue
    const state = await readShard(folder, shard.id, step.transfer.attempts)
    if (state.at === 'over') marks.push(state.mark)
    if (state.at !== 'running') continue
    shardsRunning += 1
    if (step.stage !== 'copy') continue
    let movedBytes = state.movedBytes
    for (const log of state.logPaths) movedBytes += context.bytesUnderWay(step, await tailOf(log)) ?? 0
    bytesUnderWay += Math.min(movedBytes, shard.bytes)
  }
  return { ...before, sighting, marks, shardsRunning, bytesUnderWay }
}
