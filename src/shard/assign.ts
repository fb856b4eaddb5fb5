/** Which shard each entry goes into: the plan's units, looked up record by record. */

import { isWorkFate, kindBytes, type RecordView } from '../inventory/entry.ts'
import type { Units } from './collect.ts'
import type { Cut } from './cut.ts'
import { bucketOf, bucketOfSlot, isLinked, type Tally } from './tally.ts'

/** Says where an entry goes, from the entry alone: any number of times, in any order. */
export interface Assignment {
  readonly shardCount: number
  /**
   * Index of the shard in the plan's list; -1 for an entry that is no work. `row` is the directory the entry
   * stands in, or, for a directory, its own.
   */
  shardOf(view: RecordView, row: number): number
}

/** What is asked for an entry that was not there when the units were counted. */
export const noShard = -1

/** Turns unit numbers into shard numbers, in place; negative ones keep their meaning. */
function throughShards(unitOf: Int32Array, shardOfUnit: Int32Array): Int32Array {
  return unitOf.map((unit) => (unit >= 0 ? (shardOfUnit[unit] ?? noShard) : unit))
}

/** Shard per row, -2 - set for the entries that stand directly in a split directory. */
function shardOfRows(cutting: Cut, units: Units, shardOfUnit: Int32Array): Int32Array {
  const named = throughShards(units.unitOfRow, shardOfUnit)
  return cutting.unitRow.map((row) => named[row] ?? noShard)
}

/** `shardOfUnit` in the numbering of the finished plan. */
export function assign(
  cutting: Cut,
  units: Units,
  shardOfUnit: Int32Array,
  shardCount: number,
  tally: Tally | undefined,
): Assignment {
  const ofRow = shardOfRows(cutting, units, shardOfUnit)
  if (tally === undefined)
    return {
      shardCount,
      shardOf: (view, row) => (isWorkFate(view.fateByte) ? (ofRow[row] ?? noShard) : noShard),
    }
  const { links, sets, bigBytes } = tally
  const ofBucket = throughShards(units.unitOfBucket, shardOfUnit)
  const ofBigFile = throughShards(units.unitOfBigFile, shardOfUnit)
  const crossingSet = sets.rows.length - 1
  return {
    shardCount,
    shardOf(view, row) {
      if (!isWorkFate(view.fateByte)) return noShard
      const slot = links !== undefined && isLinked(view) ? links.slotOf(view) : -1
      if (slot >= 0 && links?.crosses(slot) === true)
        return ofBucket[bucketOfSlot(slot, crossingSet, sets)] ?? noShard
      const shard = ofRow[row] ?? noShard
      if (shard >= noShard) return shard
      const set = -2 - shard
      if (view.kindByte === kindBytes.directory) return ofBucket[sets.offsets[set] ?? 0] ?? noShard
      if (slot >= 0) return ofBucket[bucketOfSlot(slot, set, sets)] ?? noShard
      const bucket = bucketOf(view, set, sets, bigBytes)
      if (bucket >= 0) return ofBucket[bucket] ?? noShard
      return ofBigFile[tally.bigFileIndex(view, set) ?? -1] ?? noShard
    },
  }
}

/** Per unit 1 where members of hard-link groups are in it. */
export function linkedUnits(cutting: Cut, units: Units, tally: Tally): Uint8Array {
  const linked = new Uint8Array(units.costs.length)
  const crossingSet = tally.sets.rows.length - 1
  tally.links?.forEach((slot, unitRow) => {
    const top = unitRow === undefined ? undefined : cutting.unitRow[unitRow]
    const unit = top === undefined ? -2 - crossingSet : (units.unitOfRow[top] ?? -1)
    const found = unit < -1 ? units.unitOfBucket[bucketOfSlot(slot, -2 - unit, tally.sets)] : unit
    if (found !== undefined && found >= 0) linked[found] = 1
  })
  return linked
}
