/** Deciding without doing: when a step is over, from its marks and from what the executor sees of it. */

import type { StepGraph } from '../graph/dag.ts'
import type { StepOutcome } from './event.ts'
import { isClean } from './progress.ts'
import type { StepProgress } from './progress.ts'
import type { StepId } from '../units.ts'

/** Looks in a row that must find no worker before one is believed to be gone: a mark may take a while to be seen on a shared file system. */
export const GONE_LOOKS = 3

/**
 * What became of a step, or undefined while it may go on.
 *
 * Verdicts for all shards: accounted, whatever the queue says. No worker left and shards open: lost, or blocked
 * when something before it was not clean. `unknown` decides nothing.
 *
 * @param goneLooks how many looks in a row have found nothing of it
 */
export function outcomeOf(
  progress: StepProgress,
  goneLooks: number,
  graph: StepGraph,
  others: ReadonlyMap<StepId, StepProgress>,
): StepOutcome | undefined {
  if (progress.outcome !== undefined) return progress.outcome
  const isAccounted = progress.marks.length === progress.step.shards.length
  if (isAccounted && (progress.sighting?.phase === 'gone' || goneLooks > 0)) return 'accounted'
  if (progress.sighting?.phase === 'blocked') return 'blocked'
  if (goneLooks < GONE_LOOKS) return undefined
  const parents = graph.parents(progress.step.id).map((id) => others.get(id))
  return parents.some((parent) => parent !== undefined && stopsChildren(parent)) ? 'blocked' : 'lost'
}

/** A last stage stops what comes after its transfer when anything failed; an inner one only when it did not account for all. */
export function stopsChildren(parent: StepProgress): boolean {
  if (parent.outcome === undefined) return false
  if (parent.outcome !== 'accounted') return true
  return parent.step.isLast ? !isClean(parent) : parent.marks.some((mark) => mark.result !== 'done')
}
