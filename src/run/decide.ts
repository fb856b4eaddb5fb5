/** Deciding without doing: when a step is over, from its marks and from what the executor sees of it. */

import type { StepGraph } from '../graph/dag.ts'
import type { Step } from '../graph/step.ts'
import type { StepOutcome } from './event.ts'
import type { Sighting } from './executor.ts'
import { isAccountedFor, isClean } from './progress.ts'
import type { StepProgress } from './progress.ts'
import type { StepId } from '../units.ts'

/** Looks in a row that must say the same before it is believed: a mark may take a while to be seen on a shared file system. */
export const LOOKS_BELIEVED = 3

/**
 * What became of a step, or undefined while it may go on.
 *
 * Verdicts for all shards: accounted, once no worker is left or nobody says whether one is. No worker left and shards
 * open: lost, or blocked when something before it was not clean; which of the two shows only when that is over.
 *
 * @param looks how many looks in a row have found it in this phase
 */
export function outcomeOf(
  progress: StepProgress,
  looks: number,
  graph: StepGraph,
  others: ReadonlyMap<StepId, StepProgress>,
): StepOutcome | undefined {
  if (progress.outcome !== undefined) return progress.outcome
  const isAccounted = isAccountedFor(progress)
  const phase = progress.sighting?.phase
  if (isAccounted && phase === 'gone') return 'accounted'
  if (isAccounted && phase === 'unknown' && looks >= LOOKS_BELIEVED) return 'accounted'
  if (phase === 'blocked') return 'blocked'
  if (phase !== 'gone' || looks < LOOKS_BELIEVED) return undefined
  const parents = graph.parents(progress.step.id).flatMap((id) => others.get(id) ?? [])
  if (parents.some((parent) => parent.outcome === undefined)) return undefined
  return parents.some((parent) => stops(parent, progress.step)) ? 'blocked' : 'lost'
}

/** A last stage stops what comes after its transfer when anything failed; an inner one only when it did not account for all. */
export function stopsChildren(parent: StepProgress): boolean {
  if (parent.outcome === undefined) return false
  if (parent.outcome !== 'accounted') return true
  return parent.step.isLast ? !isClean(parent) : parent.marks.some((mark) => mark.result !== 'done')
}

/** As `stopsChildren`, for one child: nothing is deleted after anything has failed. */
export function stops(parent: StepProgress, child: Pick<Step, 'stage'>): boolean {
  if (child.stage === 'prune' && parent.outcome === 'accounted') return !isClean(parent)
  return stopsChildren(parent)
}

/**
 * How the workers ended that left something undone, when no person had a hand in it: then it may be handed over again.
 * Undefined when nothing is lost, when nobody knows how, and when something was cancelled, because what a person ends
 * stays ended. What stands behind a step that ended badly was cancelled for that alone and says nothing.
 */
export function faultsBehindLoss(
  steps: readonly StepProgress[],
  graph: StepGraph,
): readonly string[] | undefined {
  if (!steps.some(({ outcome }) => outcome === 'lost')) return undefined
  const ended = new Map(steps.map(({ step, sighting }) => [step.id, endedBadly(sighting)]))
  const causes = steps
    .filter(({ step }) => graph.parents(step.id).every((id) => (ended.get(id) ?? []).length === 0))
    .flatMap(({ step }) => ended.get(step.id) ?? [])
  return causes.length === 0 || causes.includes('CANCELLED') ? undefined : [...new Set(causes)]
}

function endedBadly(sighting: Sighting | undefined): readonly string[] {
  return sighting?.phase === 'gone' ? (sighting.ended ?? []) : []
}
