/** How even a cut will be, before anything is known about the files in the directories that it splits. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { costOf } from './cost.ts'
import type { Cut } from './cut.ts'
import { packLargestFirst } from './pack.ts'
import { bucketBits } from './sets.ts'
import type { CostModel } from './shard.ts'
import { lineCost, type Totals } from './totals.ts'

/** Buckets are taken as equal, beside the largest file of their directory, whose size is known. */
function addBuckets(costs: number[], seconds: number, largestSeconds: number, bucketSeconds: number): void {
  const rest = Math.max(0, seconds - largestSeconds)
  const buckets = 2 ** bucketBits(rest, bucketSeconds)
  for (let bucket = 0; bucket < buckets; bucket++) costs.push(rest / buckets)
  costs.push(largestSeconds)
}

/**
 * Expected max / mean of `count` shards. Exact where no directory is split and no hard links cross; a function of
 * the totals alone.
 */
export function estimateRatio(
  tree: DirectoryTree,
  cutting: Cut,
  own: Totals,
  cost: CostModel,
  count: number,
  bucketSeconds: number,
): number {
  const costs: number[] = []
  for (let row = 0; row < tree.count; row++) {
    if (cutting.unitRow[row] !== row) continue
    const seconds = lineCost(cutting.opened[row] === 1 ? own : cutting.subtree, row, cost)
    if (cutting.opened[row] === 0 || seconds <= cutting.granularitySeconds) costs.push(seconds)
    else addBuckets(costs, seconds, costOf(cost, tree.ownLargestBytes(row), 1), bucketSeconds)
  }
  const sorted = Float64Array.from(costs).sort().reverse()
  const loads = new Float64Array(count)
  for (const [unit, shard] of packLargestFirst(sorted, count).entries())
    loads[shard] = (loads[shard] ?? 0) + (sorted[unit] ?? 0)
  const total = sorted.reduce((sum, seconds) => sum + seconds, 0)
  const max = loads.reduce((most, load) => Math.max(most, load), 0)
  return total === 0 ? 1 : (max * count) / total
}
