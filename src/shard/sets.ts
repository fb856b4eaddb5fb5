/** File sets: a directory too large for one unit, split by a hash of the names in it. */

import { lineCost, type Totals } from './totals.ts'
import type { CostModel } from './shard.ts'
import { Bug } from '../units.ts'

/** Two million buckets in one set at most: 256 for each of `shardsMax` shards. */
const bucketBitsMax = 21

/** Thirty-two times as many as there are entries: two inodes rarely share a slot then. */
const spareBits = 5

/**
 * Split directories and their buckets, numbered through: set `n` has the buckets
 * `offsets[n] … offsets[n] + 2^bits[n]`. Hash prefixes name them, so that twice the buckets would halve each.
 */
export interface FileSets {
  /** Row of the directory per set; `linkedRow` for the set of hard links across units. */
  readonly rows: readonly number[]
  /** Set per row, -1 for a directory that is not split. */
  readonly setOfRow: Int32Array
  readonly bits: Uint8Array
  readonly offsets: Int32Array
  readonly bucketCount: number
  /** No set has more bits than this; hard links have as many, so that a bucket is a whole number of their slots. */
  readonly bitsMax: number
}

/** Stands for a row where a set belongs to no single directory. */
export const linkedRow = -1

/** Bits that make the expected cost of a bucket `bucketSeconds` or less. */
export function bucketBits(seconds: number, bucketSeconds: number, bitsMax = bucketBitsMax): number {
  const wanted = Math.ceil(Math.log2(seconds / bucketSeconds))
  return Math.max(0, Math.min(wanted, bitsMax))
}

/**
 * Buckets for the directories `rows`, each expected to cost at most `bucketSeconds`. With `linkedSeconds` there is
 * one set more, the last, for hard-link groups that cross units and cost at most that much together.
 */
export function layOutSets(
  rows: readonly number[],
  own: Totals,
  cost: CostModel,
  bucketSeconds: number,
  linkedSeconds?: number,
): FileSets {
  if (!(bucketSeconds > 0)) throw new Bug(`not a bucket size: ${bucketSeconds}`)
  const all = linkedSeconds === undefined ? rows : [...rows, linkedRow]
  const sum = (column: Float64Array): number => column.reduce((total, count) => total + count, 0)
  const entries = sum(own.files) + sum(own.symlinks)
  const bitsMax = Math.min(bucketBitsMax, Math.ceil(Math.log2(entries + 1)) + spareBits)
  const setOfRow = new Int32Array(own.files.length).fill(-1)
  const bits = new Uint8Array(all.length)
  const offsets = new Int32Array(all.length)
  let bucketCount = 0
  for (const [set, row] of all.entries()) {
    const seconds = row === linkedRow ? (linkedSeconds ?? 0) : lineCost(own, row, cost)
    if (row !== linkedRow) setOfRow[row] = set
    bits[set] = bucketBits(seconds, bucketSeconds, bitsMax)
    offsets[set] = bucketCount
    bucketCount += 2 ** (bits[set] ?? 0)
  }
  return { rows: all, setOfRow, bits, offsets, bucketCount, bitsMax }
}
