/** From totals to balanced shards: how many, how fine the cut, which unit goes where. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { collectUnits } from './collect.ts'
import { shardCount } from './count.ts'
import { cut, rowsToSplit, type Cut } from './cut.ts'
import { estimateRatio } from './estimate.ts'
import { finish, pack, type ShardPlan } from './finish.ts'
import { layOutSets } from './sets.ts'
import type { ShardPolicy } from './shard.ts'
import { Tally } from './tally.ts'
import { lineCost, ownTotals, subtreeTotals, type Totals } from './totals.ts'

/**
 * How small a unit has to be, as a part of the mean shard, tried from the first on. Whole subtrees keep a shard's
 * names together, so the coarsest cut that is even enough is taken. The last one is fine enough for any source: a
 * unit of 1 % of the mean that goes into the lightest shard lifts it to 1.01 times the mean at most.
 */
const granularities = [1, 1 / 2, 1 / 8, 1 / 32] as const
const finestGranularity = 1 / 100
/** Even enough: max / mean. */
const ratioAim = 1.01
/** Expected cost of a bucket, as a part of the mean shard: hashing is uneven, and few may exceed the finest unit. */
const bucketPart = finestGranularity / 2

export interface Work {
  readonly own: Totals
  readonly totalSeconds: number
  /** Shards to make. */
  readonly count: number
  readonly meanSeconds: number
}

/** What there is to do, and in how many shards. */
export function measure(tree: DirectoryTree, policy: ShardPolicy): Work {
  const own = ownTotals(tree)
  const total = subtreeTotals(tree, own)
  const totalSeconds = lineCost(total, 0, policy.cost)
  const count = shardCount(totalSeconds, (total.files[0] ?? 0) + (total.symlinks[0] ?? 0), policy)
  return { own, totalSeconds, count, meanSeconds: totalSeconds / count }
}

/** The coarsest cut that promises to be even, else the finest. */
function chooseCut(tree: DirectoryTree, policy: ShardPolicy, { own, count, meanSeconds }: Work): Cut {
  const { cost } = policy
  if (count === 1) return cut(tree, own, cost, Infinity)
  for (const part of granularities) {
    const cutting = cut(tree, own, cost, meanSeconds * part)
    if (estimateRatio(tree, cutting, own, cost, count, meanSeconds * bucketPart) <= ratioAim) return cutting
  }
  return cut(tree, own, cost, meanSeconds * finestGranularity)
}

/**
 * The shards of a source from the totals of its directories alone, where they suffice: a single shard, or a cut
 * without a directory that must be split and without hard links. Undefined otherwise: then take `startTally`, show
 * it every record, and call `planByTally`.
 */
export function planByTotals(tree: DirectoryTree, policy: ShardPolicy): ShardPlan | undefined {
  const work = measure(tree, policy)
  if (work.count > 1 && tree.hasHardLinks) return undefined
  const cutting = chooseCut(tree, policy, work)
  if (rowsToSplit(cutting, work.own, policy.cost).length > 0) return undefined
  const packing = pack(tree, cutting, collectUnits(cutting, work.own, policy.cost, undefined), work.count)
  return finish(packing, policy.cost, undefined, tree.hasHardLinks)
}

/**
 * Ready to be shown every record of the manifest. Its memory grows with directories and shards. `finest` is for a
 * second pass, after the first has shown that a coarser cut is not even.
 */
export function startTally(tree: DirectoryTree, policy: ShardPolicy, fineness: 'chosen' | 'finest'): Tally {
  const work = measure(tree, policy)
  const { own, totalSeconds, meanSeconds } = work
  const { cost } = policy
  const finestSeconds = meanSeconds * finestGranularity
  const cutting = fineness === 'finest' ? cut(tree, own, cost, finestSeconds) : chooseCut(tree, policy, work)
  const linkedSeconds = tree.hasHardLinks ? totalSeconds : undefined
  const sets = layOutSets(rowsToSplit(cutting, own, cost), own, cost, meanSeconds * bucketPart, linkedSeconds)
  const bigBytes = (finestSeconds - cost.secondsPerFile) / cost.secondsPerByte
  return new Tally(cutting, own, sets, bigBytes)
}

/**
 * The shards of a source after `tally` has seen every record; undefined when they are uneven and a finer cut is
 * left to try. For every input the costliest shard is at most the mean plus the largest unit; it is at most 1.01
 * times the mean where no file and no hard-link group costs more than 1 % of the mean. A function of the set of
 * entries: the order of the listing does not show.
 */
export function planByTally(tree: DirectoryTree, policy: ShardPolicy, tally: Tally): ShardPlan | undefined {
  const { count, meanSeconds } = measure(tree, policy)
  const { own, cutting } = tally
  tally.finish()
  // Without the links that cross, some directories may be small enough to stay whole.
  const final = cut(tree, own, policy.cost, cutting.granularitySeconds)
  const packing = pack(tree, final, collectUnits(final, own, policy.cost, tally), count)
  const isFinest = cutting.granularitySeconds <= meanSeconds * finestGranularity
  if (packing.ratio > ratioAim && !isFinest) return undefined
  return finish(packing, policy.cost, tally, tree.hasHardLinks)
}
