/** Hands the graph to an executor, follows it by its marks, and says how it ended. Local and Slurm differ only behind the port. */

import type { Diagnostic, Result } from '../diagnostic.ts'
import { readShard, tailOf } from '../edge/marks.ts'
import type { Journal } from '../edge/journal.ts'
import type { StepGraph } from '../graph/dag.ts'
import type { Step } from '../graph/step.ts'
import { outcomeOf, stops } from '../run/decide.ts'
import type { StepOutcome, Ticket } from '../run/event.ts'
import type { Executor, Sighting } from '../run/executor.ts'
import type { Mark } from '../run/mark.ts'
import { isAccountedFor } from '../run/progress.ts'
import type { Progress, StepProgress } from '../run/progress.ts'
import type { StepId } from '../units.ts'

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
  | { readonly kind: 'detached'; readonly progress: Progress }

/**
 * Submits what is not accounted for yet, in order, records each id, and only then releases the roots. Steps of a
 * resumed run that are over get no ticket, nor do those behind a step whose failures stop them.
 */
export async function submitAll(context: DriveContext): Promise<Result<HandedOver, DriveEnd>> {
  const { graph, executor, journal } = context
  const seen = await lookAtAll(context)
  const done = overAlready(seen)
  const tickets = new Map<StepId, Ticket>()
  const takeBack = async (
    reason: string,
    diagnostics?: readonly Diagnostic[],
  ): Promise<{ ok: false; error: DriveEnd }> => {
    const cancelled = await executor.cancel()
    // Until it is sure that nothing is left, the run stays open, so that the next apply looks for it again.
    if (cancelled.ok) await journal.append({ kind: 'withdrawn', reason })
    const left = cancelled.ok ? [] : cancelled.error
    const by = await context.cancelledBy()
    if (by !== undefined) return { ok: false, error: { kind: 'cancelled', by, left } }
    return context.interrupt.aborted || diagnostics === undefined
      ? { ok: false, error: { kind: 'interrupted', progress: undefined, left } }
      : { ok: false, error: { kind: 'refused', diagnostics, left } }
  }
  for (const step of graph.steps) {
    if (done.has(step.id) || !canStart(step, graph.parents(step.id), done, tickets)) continue
    if (context.interrupt.aborted) return takeBack('interrupted before release')
    await journal.append({ kind: 'intent', step: step.id, name: executor.nameOf(step) })
    const after = graph.parents(step.id).flatMap((id) => tickets.get(id) ?? [])
    const answer = await executor.submit(withoutPast(step, seen.get(step.id)), after)
    if (!answer.ok) return takeBack(`${step.id} was refused`, answer.error)
    tickets.set(step.id, answer.value)
    await journal.append({ kind: 'submitted', step: step.id, ticket: answer.value })
  }
  if (context.interrupt.aborted) return takeBack('interrupted before release')
  const handedOver = graph.steps.flatMap((step): [string, Ticket][] => {
    const ticket = tickets.get(step.id)
    return ticket === undefined ? [] : [[executor.nameOf(step), ticket]]
  })
  const confirmed = await executor.confirm(new Map(handedOver))
  if (!confirmed.ok) return takeBack('not all of it is in the queue', confirmed.error)
  const isRoot = (step: Step): boolean => !graph.parents(step.id).some((id) => tickets.has(id))
  const released = await executor.release(
    graph.steps.filter(isRoot).flatMap((step) => tickets.get(step.id) ?? []),
  )
  if (!released.ok) return takeBack('the release was refused', released.error)
  await journal.append({ kind: 'released' })
  return { ok: true, value: { tickets, seen } }
}

/** What has begun was let go by the jobs that it stood after, and Slurm may have forgotten those by now. */
function withoutPast(step: Step, progress: StepProgress | undefined): Step {
  const hasBegun = progress !== undefined && progress.marks.length + progress.shardsRunning > 0
  return hasBegun ? { ...step, afterJobs: [] } : step
}

/** What the marks say of every step: nothing at all in a fresh run. */
export async function lookAtAll(context: MarksContext): Promise<HandedOver['seen']> {
  const seen = new Map<StepId, StepProgress>()
  for (const step of context.graph.steps) seen.set(step.id, await lookAt(context, fresh(step), undefined))
  return seen
}

/** Steps whose every shard is over by the marks. */
function overAlready(seen: HandedOver['seen']): HandedOver['seen'] {
  const over = new Map<StepId, StepProgress>()
  for (const [id, progress] of seen)
    if (isAccountedFor(progress)) over.set(id, { ...progress, outcome: 'accounted' })
  return over
}

/** A step starts behind parents that are handed over, or over without failures that would stop it. */
function canStart(
  step: Step,
  parents: readonly StepId[],
  done: ReadonlyMap<StepId, StepProgress>,
  tickets: Tickets,
): boolean {
  return parents.every((id) => {
    const before = done.get(id)
    return before === undefined ? tickets.has(id) : !stops(before, step)
  })
}

/** Follows handed-over steps until all are over or the user has had enough. */
export async function follow(context: DriveContext, { tickets, seen }: HandedOver): Promise<DriveEnd> {
  const { graph, executor, journal } = context
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
        ticket === undefined ? { phase: 'gone' } : (sightings.get(ticket) ?? { phase: 'unknown' })
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
    if (context.interrupt.aborted) return leave(context, progress)
    await context.sleep(context.tickMillis(progress.elapsedMillis))
  }
}

/** Slurm goes on without us; workers on this machine are stopped, because nobody would see them. A cancel stops both. */
async function leave(context: DriveContext, progress: Progress): Promise<DriveEnd> {
  const by = await context.cancelledBy()
  if (by !== undefined) {
    const cancelled = await context.executor.cancel()
    if (cancelled.ok) await context.journal.append({ kind: 'cancelled', by })
    return { kind: 'cancelled', by, left: cancelled.ok ? [] : cancelled.error }
  }
  if (context.executor.kind === 'slurm') {
    await context.journal.append({ kind: 'detached' })
    return { kind: 'detached', progress }
  }
  const cancelled = await context.executor.cancel()
  await context.journal.append({ kind: 'interrupted' })
  return { kind: 'interrupted', progress, left: cancelled.ok ? [] : cancelled.error }
}

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
