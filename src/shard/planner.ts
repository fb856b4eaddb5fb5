/** From totals to balanced shards: how many, how fine the cut, which unit goes where. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { collectUnits } from './collect.ts'
import { shardCount } from './count.ts'
import { cut, rowsToSplit } from './cut.ts'
import { finish, pack, type Packing, type ShardPlan } from './finish.ts'
import { layOutSets } from './sets.ts'
import type { ShardPolicy } from './shard.ts'
import { Tally } from './tally.ts'
import { Bug } from '../units.ts'
import { lineCost, ownTotals, subtreeTotals, type Totals } from './totals.ts'

/**
 * How small a unit has to be, as a part of the mean shard, tried from the first on. Whole subtrees keep a shard's
 * names together, so the coarsest cut that is even enough is taken. The last one is fine enough for any source: a
 * unit of 1 % of the mean that goes into the lightest shard lifts it to 1.01 times the mean at most.
 */
const granularities = [1, 1 / 2, 1 / 8, 1 / 32, 1 / 100] as const
const finestPart = 1 / 100
/** Even enough: max / mean. */
const ratioAim = 1.01
/** Expected cost of a bucket, as a part of the finest granularity: hashing is uneven, and few may exceed it. */
const bucketPart = 1 / 2

interface Work {
  readonly own: Totals
  readonly totalSeconds: number
  /** Shards to make. */
  readonly count: number
  readonly meanSeconds: number
}

function measure(tree: DirectoryTree, policy: ShardPolicy): Work {
  const own = ownTotals(tree)
  const total = subtreeTotals(tree, own)
  const totalSeconds = lineCost(total, 0, policy.cost)
  const count = shardCount(totalSeconds, (total.files[0] ?? 0) + (total.symlinks[0] ?? 0), policy)
  return { own, totalSeconds, count, meanSeconds: totalSeconds / count }
}

/** The first packing that is even enough, else the last. Undefined as soon as `packAt` has none. */
function firstEven(packAt: (part: number) => Packing | undefined): Packing | undefined {
  let last: Packing | undefined
  for (const part of granularities) {
    last = packAt(part)
    if (last === undefined || last.ratio <= ratioAim) return last
  }
  return last
}

/**
 * The shards of a source from the totals of its directories alone, where they suffice: a single shard, or an even
 * cut without a directory that must be split and without hard links. Undefined otherwise: then take `startTally`,
 * show it every record, and call `planByTally`.
 */
export function planByTotals(tree: DirectoryTree, policy: ShardPolicy): ShardPlan | undefined {
  const { own, count, meanSeconds } = measure(tree, policy)
  const packAt = (granularitySeconds: number): Packing | undefined => {
    const cutting = cut(tree, own, policy.cost, granularitySeconds)
    if (rowsToSplit(cutting, own, policy.cost).length > 0) return undefined
    return pack(tree, cutting, collectUnits(cutting, own, policy.cost, undefined), count)
  }
  if (count > 1 && tree.hasHardLinks) return undefined
  const packing = count === 1 ? packAt(Infinity) : firstEven((part) => packAt(meanSeconds * part))
  return packing && finish(packing, policy.cost, undefined, tree.hasHardLinks)
}

/** Ready to be shown every record of the manifest. Its memory grows with directories and shards. */
export function startTally(tree: DirectoryTree, policy: ShardPolicy): Tally {
  const { own, totalSeconds, meanSeconds } = measure(tree, policy)
  const { cost } = policy
  const finest = cut(tree, own, cost, meanSeconds * finestPart)
  const bucketSeconds = finest.granularitySeconds * bucketPart
  const linkedSeconds = tree.hasHardLinks ? totalSeconds : undefined
  const sets = layOutSets(rowsToSplit(finest, own, cost), own, cost, bucketSeconds, linkedSeconds)
  const bigBytes = (finest.granularitySeconds - cost.secondsPerFile) / cost.secondsPerByte
  return new Tally(finest, own, sets, bigBytes)
}

/**
 * The shards of a source after `tally` has seen every record. For every input the costliest shard is at most the
 * mean plus the largest unit; it is at most 1.01 times the mean where no file and no hard-link group costs more
 * than 1 % of the mean. A function of the set of entries: the order of the listing does not show.
 */
export function planByTally(tree: DirectoryTree, policy: ShardPolicy, tally: Tally): ShardPlan {
  const { count, meanSeconds } = measure(tree, policy)
  tally.finish()
  const packing = firstEven((part) => {
    const cutting = cut(tree, tally.own, policy.cost, meanSeconds * part)
    return pack(tree, cutting, collectUnits(cutting, tally.own, policy.cost, tally), count)
  })
  if (packing === undefined) throw new Bug('no granularity was tried')
  return finish(packing, policy.cost, tally, tree.hasHardLinks)
}
