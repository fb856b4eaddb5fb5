/** How much of an unfinished run is proven and how much is left, for whoever is asked whether to go on. */

import { goesByEntry } from '../graph/step.ts'
import type { Mark } from '../run/mark.ts'
import { entriesOf } from '../run/progress.ts'
import type { StepProgress } from '../run/progress.ts'
import { formatBytes, formatCount, formatPlural } from './format.ts'

/**
 * `3 of 8 shards proven, 12.0 GiB in 5 shards left, 4.0 GiB of it only to verify, 2 entries failed`. A shard counts
 * once, by the last stage of its transfer that goes shard by shard; one that an earlier stage gave up is neither proven nor left.
 *
 * @param steps all steps of the run, with the verdicts that stand
 */
export function leftText(steps: readonly StepProgress[]): string {
  const sum = { shards: 0, proven: 0, left: 0, leftBytes: 0, copiedBytes: 0, failed: 0 }
  const delivering = steps.filter(({ step }) => goesByEntry(step.stage))
  for (const [index, last] of delivering.entries()) {
    if (delivering[index + 1]?.step.transfer.name === last.step.transfer.name) continue
    const stages = delivering.filter(({ step }) => step.transfer.name === last.step.transfer.name)
    const verdicts = verdictsOf([...stages.filter((stage) => stage !== last), last])
    const proven = new Set(last.marks.map(({ shard }) => shard))
    for (const shard of last.step.shards) {
      const verdict = verdicts.get(shard.id)
      const isGivenUp = verdict !== undefined && verdict.result !== 'done'
      sum.shards += 1
      sum.failed += isGivenUp ? entriesOf(shard) : (verdict?.failed ?? 0)
      if (isGivenUp) continue
      if (proven.has(shard.id)) {
        sum.proven += 1
        continue
      }
      sum.left += 1
      sum.leftBytes += shard.bytes
      if (verdict !== undefined) sum.copiedBytes += shard.bytes
    }
  }
  const deletes = steps
    .filter(({ step, marks }) => step.stage === 'prune' && marks.length < step.shards.length)
    .flatMap(({ step }) => step.shards)
    .reduce((total, shard) => total + entriesOf(shard), 0)
  return [
    `${sum.proven} of ${formatPlural(sum.shards, 'shard')} proven`,
    `${formatBytes(sum.leftBytes)} in ${formatPlural(sum.left, 'shard')} left`,
    ...(sum.copiedBytes > 0 ? [`${formatBytes(sum.copiedBytes)} of it only to verify`] : []),
    ...(deletes > 0 ? [`${formatCount(deletes)} to delete`] : []),
    ...(sum.failed > 0 ? [`${formatPlural(sum.failed, 'entry', 'entries')} failed`] : []),
  ].join(', ')
}

/** The latest verdict on each shard of one transfer. */
function verdictsOf(stages: readonly StepProgress[]): ReadonlyMap<string, Mark> {
  return new Map(stages.flatMap(({ marks }) => marks.map((mark) => [mark.shard, mark] as const)))
}
