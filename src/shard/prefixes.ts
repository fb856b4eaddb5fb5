/** The cut for a tool that takes no lists of files: no directory is split, and the shards are as even as that allows. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { collectUnits } from './collect.ts'
import { cut } from './cut.ts'
import { finish, pack, type Packing, type ShardPlan } from './finish.ts'
import { measure, type Work } from './planner.ts'
import type { Balance, ShardPolicy } from './shard.ts'

/** How small a subtree has to be to stay whole, as a part of the mean shard, tried from the first on. */
const granularities = [1, 1 / 2, 1 / 8, 1 / 32] as const

/** Even enough: max / mean. Each unit is a start of the tool and a listing of its own, so there had better be few. */
const ratioAim = 1.05
/** A finer cut has to be better than a coarser one by this factor. */
const worthwhile = 0.98

function choosePacking(
  tree: DirectoryTree,
  { own, count, meanSeconds }: Work,
  { cost }: ShardPolicy,
  opens: (row: number) => boolean,
): Packing {
  const packed = (granularitySeconds: number): Packing => {
    const cutting = cut(tree, own, cost, granularitySeconds, opens)
    return pack(tree, cutting, collectUnits(cutting, own, cost, undefined), count)
  }
  if (count === 1) return packed(Infinity)
  const [first, ...finer] = granularities
  let best = packed(meanSeconds * first)
  for (const part of finer) {
    if (best.ratio <= ratioAim) break
    const packing = packed(meanSeconds * part)
    if (packing.ratio < best.ratio * worthwhile) best = packing
  }
  return best
}

/**
 * The shards of a source, from the totals of its directories. `opens` says whether the files that stand directly in a
 * directory can be carried apart from what is below it; its paths are latin1 text. Hard links are not looked at.
 */
export function planByPrefixes(
  tree: DirectoryTree,
  policy: ShardPolicy,
  opens: (path: string) => boolean,
): ShardPlan {
  const hasFolders = new Uint8Array(tree.count)
  for (let row = 1; row < tree.count; row++) hasFolders[tree.parent(row)] = 1
  // Where nothing is below, opening would change nothing but the name of the unit.
  const opensRow = (row: number): boolean => hasFolders[row] === 1 && opens(tree.path(row))
  const packing = choosePacking(tree, measure(tree, policy), policy, opensRow)
  const { cutting, units } = packing
  const { shardOfUnit, ...plan } = finish(packing, policy.cost, undefined, false)
  return {
    ...plan,
    balance: { ...plan.balance, ...undividedOf(tree, packing, plan.balance) },
    prefixes: {
      units: units.rows.map((row, unit) => ({
        shard: shardOfUnit[unit] ?? 0,
        row,
        isWhole: cutting.opened[row] === 0,
        files: units.files[unit] ?? 0,
        bytes: units.bytes[unit] ?? 0,
      })),
      unitOf: (row) => units.unitOfRow[cutting.unitRow[row] ?? 0] ?? -1,
    },
  }
}

/** The costliest unit, where it outweighs the mean shard. */
function undividedOf(tree: DirectoryTree, { units }: Packing, balance: Balance): Pick<Balance, 'undivided'> {
  const costs = units.costs
  const largest = costs.reduce((most, seconds, unit) => (seconds > (costs[most] ?? 0) ? unit : most), 0)
  if ((costs[largest] ?? 0) <= balance.meanSeconds || balance.ratio <= ratioAim) return {}
  return {
    undivided: {
      path: tree.path(units.rows[largest] ?? 0),
      files: units.files[largest] ?? 0,
      sizeBytes: units.bytes[largest] ?? 0,
    },
  }
}
