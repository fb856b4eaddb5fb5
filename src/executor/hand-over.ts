/** Hands the graph of a run to an executor: all of it held, confirmed, and only then let go. */

import type { Diagnostic, Result } from '../diagnostic.ts'
import type { Step } from '../graph/step.ts'
import { stops } from '../run/decide.ts'
import type { Ticket } from '../run/event.ts'
import { isFull } from '../run/executor.ts'
import { isAccountedFor } from '../run/progress.ts'
import type { StepProgress } from '../run/progress.ts'
import type { StepId } from '../units.ts'
import { lookAtAll } from './drive.ts'
import type { DriveContext, DriveEnd, HandedOver } from './drive.ts'
import { submitAsMany } from './window.ts'

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
  const waiting: StepId[] = []
  for (const step of graph.steps) {
    if (done.has(step.id) || !canStart(step, graph.parents(step.id), done, [...tickets.keys(), ...waiting]))
      continue
    if (waiting.length > 0) {
      waiting.push(step.id)
      continue
    }
    if (context.interrupt.aborted) return takeBack('interrupted before release')
    await journal.append({ kind: 'intent', step: step.id, name: executor.nameOf(step) })
    const after = graph.parents(step.id).flatMap((id) => tickets.get(id) ?? [])
    const answer = await submitFirst(context, withoutPast(step, seen.get(step.id)), after, tickets.size === 0)
    if (!answer.ok && (!isFull(answer.error) || tickets.size === 0 || context.whenFull === 'refuse'))
      return takeBack(`${step.id} was refused`, refused(answer.error, tickets.size))
    if (!answer.ok) {
      waiting.push(step.id)
      continue
    }
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
  return { ok: true, value: { tickets, seen, waiting, isAttached: false } }
}

/** The first of all may have to wait for other jobs of the account to end; whoever follows waits, whoever leaves is told. */
async function submitFirst(
  context: DriveContext,
  step: Step,
  after: readonly Ticket[],
  isFirst: boolean,
): Promise<Result<Ticket>> {
  const { executor, whenFull, interrupt, sleep, roomMillis, notify } = context
  for (let looks = 0; ; looks++) {
    const answer = isFirst
      ? await submitAsMany(context, step, after, true)
      : await executor.submit(step, after)
    if (answer.ok || !isFirst || !isFull(answer.error) || whenFull !== 'stay' || interrupt.aborted)
      return answer
    if (looks === 0) notify('The submit limit of your account is reached by other jobs; waiting for room.')
    await sleep(roomMillis)
  }
}

/** Of what fits in part, all is refused where nobody stays: nobody would hand over the rest. */
function refused(diagnostics: readonly Diagnostic[], fitting: number): readonly Diagnostic[] {
  return fitting === 0 ? diagnostics : diagnostics.map((one) => (isFull([one]) ? noRoomToLeave(one) : one))
}

/** The same for who leaves at once. */
export function noRoomToLeave(full: Diagnostic): Diagnostic {
  return {
    ...full,
    severity: 'error',
    todo: 'Leave out --detach, so that this command stays and hands over the rest as room comes up; or add --partial-submit, and hand over the rest later with `soxplan resume RUN`.',
  }
}

/** What has begun was let go by the jobs that it stood after, and Slurm may have forgotten those by now. */
function withoutPast(step: Step, progress: StepProgress | undefined): Step {
  const hasBegun = progress !== undefined && progress.marks.length + progress.shardsRunning > 0
  return hasBegun ? { ...step, afterJobs: [] } : step
}

/** Steps whose every shard is over by the marks. */
function overAlready(seen: HandedOver['seen']): HandedOver['seen'] {
  const over = new Map<StepId, StepProgress>()
  for (const [id, progress] of seen)
    if (isAccountedFor(progress)) over.set(id, { ...progress, outcome: 'accounted' })
  return over
}

/** A step starts behind parents that are handed over or about to be, or over without failures that would stop it. */
function canStart(
  step: Step,
  parents: readonly StepId[],
  done: ReadonlyMap<StepId, StepProgress>,
  coming: readonly StepId[],
): boolean {
  return parents.every((id) => {
    const before = done.get(id)
    return before === undefined ? coming.includes(id) : !stops(before, step)
  })
}
