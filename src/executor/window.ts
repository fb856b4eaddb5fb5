/**
 * A submit limit lets in only so many workers at once. What does not fit waits in the run and is handed over as room comes
 * up, by whoever drives it: workers that are in the queue already go on meanwhile.
 */

import type { Diagnostic, Result } from '../diagnostic.ts'
import type { Journal } from '../edge/journal.ts'
import type { StepGraph } from '../graph/dag.ts'
import type { Step } from '../graph/step.ts'
import { stops } from '../run/decide.ts'
import type { Ticket } from '../run/event.ts'
import { isFull } from '../run/executor.ts'
import type { Executor } from '../run/executor.ts'
import { isAccountedFor } from '../run/progress.ts'
import type { StepProgress } from '../run/progress.ts'
import type { StepId } from '../units.ts'

export interface WindowContext {
  readonly graph: StepGraph
  readonly executor: Executor
  readonly journal: Journal
  readonly now: () => number
  readonly interrupt: AbortSignal
  /** Until room is looked for again although no step has ended: other jobs of the account may have. */
  readonly roomMillis: number
  /** What was refused for another reason than the limit, and is not tried again. */
  readonly onTrouble: (diagnostics: readonly Diagnostic[]) => void
  readonly notify: (line: string) => void
}

export interface Window {
  /** Not handed over yet. */
  readonly waiting: ReadonlySet<StepId>
  /** Hands over what fits by now, if it is time to try, and adds its tickets to those that were given. */
  admit(states: ReadonlyMap<StepId, StepProgress>): Promise<void>
}

/** @param mayBeThere a driver that was killed may have submitted some of it: names are looked for first */
export function openWindow(
  context: WindowContext,
  waiting: Set<StepId>,
  tickets: Map<StepId, Ticket>,
  mayBeThere: boolean,
): Window {
  let triedMillis = context.now()
  let overBefore = 0
  return {
    waiting,
    async admit(states) {
      for (const { id, stage } of context.graph.steps)
        if (waiting.has(id) && isOut(states.get(id), context.graph.parents(id), states, { stage }))
          waiting.delete(id)
      if (waiting.size === 0 || context.interrupt.aborted) return
      const over = [...states.values()].filter(({ outcome }) => outcome !== undefined).length
      const isDue = mayBeThere || over > overBefore || context.now() - triedMillis >= context.roomMillis
      if (!isDue) return
      triedMillis = context.now()
      overBefore = over
      const admitted = await submitFitting(context, waiting, tickets, states, mayBeThere)
      mayBeThere = false
      if (admitted.size === 0) return
      const { executor, graph } = context
      const named = graph.steps.flatMap((step): [string, Ticket][] => {
        const ticket = admitted.get(step.id)
        return ticket === undefined ? [] : [[executor.nameOf(step), ticket]]
      })
      const confirmed = await executor.confirm(new Map(named), [...tickets.values()])
      const released = confirmed.ok ? await executor.release([...admitted.values()]) : confirmed
      if (released.ok) await context.journal.append({ kind: 'released' })
      else context.onTrouble(released.error)
    },
  }
}

/** Nothing of it is left to hand over, or it is never to start. */
function isOut(
  own: StepProgress | undefined,
  parents: readonly StepId[],
  states: ReadonlyMap<StepId, StepProgress>,
  child: Pick<Step, 'stage'>,
): boolean {
  if (own !== undefined && isAccountedFor(own)) return true
  return parents.some((id) => {
    const parent = states.get(id)
    return parent?.outcome !== undefined && stops(parent, child)
  })
}

/** In the order of the graph, until one does not fit; a step behind one that waits waits, too. */
async function submitFitting(
  context: WindowContext,
  waiting: Set<StepId>,
  tickets: Map<StepId, Ticket>,
  states: ReadonlyMap<StepId, StepProgress>,
  mayBeThere: boolean,
): Promise<ReadonlyMap<StepId, Ticket>> {
  const { graph, executor, journal, interrupt, onTrouble } = context
  const admitted = new Map<StepId, Ticket>()
  const isOver = (id: StepId): boolean => states.get(id)?.outcome !== undefined
  for (const step of graph.steps) {
    const parents = graph.parents(step.id)
    if (!waiting.has(step.id)) continue
    if (interrupt.aborted || !parents.every((id) => tickets.has(id) || isOver(id))) break
    const found = mayBeThere ? await executor.find(step) : undefined
    const after = parents.flatMap((id) => (isOver(id) ? [] : (tickets.get(id) ?? [])))
    const isAlone = [...tickets.keys()].every(isOver)
    if (found === undefined)
      await journal.append({ kind: 'intent', step: step.id, name: executor.nameOf(step) })
    const answer = found ?? (await submitAsMany(context, step, after, isAlone))
    if (!answer.ok) {
      if (isFull(answer.error)) break
      waiting.clear()
      onTrouble(answer.error)
      break
    }
    tickets.set(step.id, answer.value)
    admitted.set(step.id, answer.value)
    waiting.delete(step.id)
    await journal.append({ kind: 'submitted', step: step.id, ticket: answer.value })
  }
  return admitted
}

/**
 * Hands a step over, held. Where nothing else of the run is in the queue, so that waiting would not help, half as many
 * workers are tried, and half of those: they pull, so that fewer do the same work. Fails as `submit`.
 */
export async function submitAsMany(
  { executor, notify }: Pick<WindowContext, 'executor' | 'notify'>,
  step: Step,
  after: readonly Ticket[],
  mayBeFewer: boolean,
): Promise<Result<Ticket>> {
  for (let workers = step.workers; ; workers = Math.ceil(workers / 2)) {
    const answer = await executor.submit({ ...step, workers }, after, true)
    if (answer.ok && workers < step.workers)
      notify(`${step.id}: ${workers} of ${step.workers} workers fit into the queue; they do the same work.`)
    if (answer.ok || !isFull(answer.error) || !mayBeFewer || workers === 1) return answer
  }
}
