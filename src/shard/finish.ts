/** Packs units into shards and says what came of it. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { assign, linkedUnits, type Assignment } from './assign.ts'
import { descending, type Units } from './collect.ts'
import type { Cut } from './cut.ts'
import { packLargestFirst } from './pack.ts'
import type { Balance, CostModel, Shard } from './shard.ts'
import { costOf } from './cost.ts'
import type { Tally } from './tally.ts'
import { emptyTotals, lineCost, type Totals } from './totals.ts'

/** The cut in full: shards in descending cost, how even they are, and the way from an entry to its shard. */
export interface ShardPlan {
  readonly shards: readonly Shard[]
  readonly balance: Balance
  readonly assignment: Assignment
  /** Set where the tool carries whole prefixes only. */
  readonly prefixes?: Prefixes
  /** No shard is above the mean by more than this. */
  readonly largestUnitSeconds: number
}

/** What a tool without lists carries: whole subtrees, and all files that stand directly in one directory. */
export interface Prefixes {
  readonly units: readonly PrefixUnit[]
  /** Index of the unit that an entry in the directory `row` belongs to, work or not; -1 where there is nothing to carry. */
  unitOf(row: number): number
}

export interface PrefixUnit {
  /** Index of its shard in the plan's list. */
  readonly shard: number
  /** Its directory. */
  readonly row: number
  /** With all that is below it. */
  readonly isWhole: boolean
  readonly files: number
  readonly bytes: number
}

/** Units with the shard each went into, not yet in the order of the plan. */
export interface Packing {
  readonly cutting: Cut
  readonly units: Units
  readonly shardOfUnit: Int32Array
  readonly count: number
  /** max / mean of the loads, 1 where there is no work. */
  readonly ratio: number
}

/** Puts the units of `cutting` into at most `count` shards. */
export function pack(tree: DirectoryTree, cutting: Cut, units: Units, count: number): Packing {
  const order = descending(units, tree)
  const costs = Float64Array.from(order, (unit) => units.costs[unit] ?? 0)
  const placed = packLargestFirst(costs, count)
  const shardOfUnit = new Int32Array(order.length)
  const loads = new Float64Array(count)
  let total = 0
  for (const [place, unit] of order.entries()) {
    const shard = placed[place] ?? 0
    shardOfUnit[unit] = shard
    loads[shard] = (loads[shard] ?? 0) + (costs[place] ?? 0)
    total += costs[place] ?? 0
  }
  const max = loads.reduce((most, load) => Math.max(most, load), 0)
  return { cutting, units, shardOfUnit, count, ratio: total === 0 ? 1 : (max * count) / total }
}

/** Sums per shard, and how many units it has. */
function sumShards({ units, shardOfUnit, count }: Packing): { totals: Totals; unitCounts: Float64Array } {
  const totals = emptyTotals(count)
  const unitCounts = new Float64Array(count)
  const add = (column: Float64Array, shard: number, value: number | undefined): void => {
    column[shard] = (column[shard] ?? 0) + (value ?? 0)
  }
  for (const [unit, shard] of shardOfUnit.entries()) {
    add(unitCounts, shard, 1)
    add(totals.files, shard, units.files[unit])
    add(totals.symlinks, shard, units.symlinks[unit])
    add(totals.directories, shard, units.directories[unit])
    add(totals.bytes, shard, units.bytes[unit])
  }
  return { totals, unitCounts }
}

/** Shards that carry something, the costliest first; equal ones in the order they were made. */
function inPlanOrder(unitCounts: Float64Array, totals: Totals, cost: CostModel): number[] {
  return [...unitCounts.keys()]
    .filter((shard) => (unitCounts[shard] ?? 0) > 0)
    .sort((one, other) => lineCost(totals, other, cost) - lineCost(totals, one, cost) || one - other)
}

function linkedShards(packing: Packing, tally: Tally | undefined): Set<number> {
  const linked = new Set<number>()
  if (tally?.links === undefined) return linked
  for (const [unit, flag] of linkedUnits(packing.cutting, packing.units, tally).entries())
    if (flag === 1) linked.add(packing.shardOfUnit[unit] ?? 0)
  return linked
}

function balanceOf(shards: readonly Shard[], cost: CostModel, tally: Tally | undefined): Balance {
  const total = shards.reduce((sum, shard) => sum + shard.costSeconds, 0)
  const meanSeconds = shards.length === 0 ? 0 : total / shards.length
  const maxSeconds = shards[0]?.costSeconds ?? 0
  const largest = tally?.largest
  const isDominant = largest !== undefined && costOf(cost, largest.sizeBytes, 1) > meanSeconds
  return {
    meanSeconds,
    maxSeconds,
    ratio: meanSeconds === 0 ? 1 : maxSeconds / meanSeconds,
    ...(isDominant ? { dominant: largest } : {}),
  }
}

/** Numbers the shards in descending cost and closes the plan. Shards that got nothing are left out. */
export function finish(
  packing: Packing,
  cost: CostModel,
  tally: Tally | undefined,
  hasHardLinks: boolean,
): ShardPlan & { readonly shardOfUnit: Int32Array } {
  const { totals, unitCounts } = sumShards(packing)
  const linked = linkedShards(packing, tally)
  const order = inPlanOrder(unitCounts, totals, cost)
  const numbers = new Int32Array(packing.count)
  const shards = order.map((shard, number): Shard => {
    numbers[shard] = number
    return {
      id: String(number + 1).padStart(5, '0'),
      files: totals.files[shard] ?? 0,
      directories: totals.directories[shard] ?? 0,
      symlinks: totals.symlinks[shard] ?? 0,
      bytes: totals.bytes[shard] ?? 0,
      costSeconds: lineCost(totals, shard, cost),
      units: unitCounts[shard] ?? 0,
      hasHardLinks: tally === undefined ? hasHardLinks : linked.has(shard),
    }
  })
  const shardOfUnit = packing.shardOfUnit.map((shard) => numbers[shard] ?? 0)
  const assignment = assign(packing.cutting, packing.units, shardOfUnit, shards.length, tally)
  const largestUnitSeconds = packing.units.costs.reduce((most, unit) => Math.max(most, unit), 0)
  return { shards, balance: balanceOf(shards, cost, tally), assignment, largestUnitSeconds, shardOfUnit }
}
