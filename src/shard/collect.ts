/** The units of one cut, as a list ready to be packed. */

import type { DirectoryTree } from '../inventory/tree.ts'
import type { Cut } from './cut.ts'
import { linkedRow } from './sets.ts'
import type { CostModel } from './shard.ts'
import type { Tally } from './tally.ts'
import { lineCost, lineOf, type Line, type Totals } from './totals.ts'
import { costOf } from './cost.ts'

/** Where a unit came from, which is also the order among units of one cost and one directory. */
export const origins = { whole: 0, bucket: 1, bigFile: 2 } as const

/** Columns, one line per unit, in the order they were found. */
export interface Units {
  readonly costs: number[]
  readonly files: number[]
  readonly symlinks: number[]
  readonly directories: number[]
  readonly bytes: number[]
  /** Row that names the unit, `linkedRow` for hard links across units. */
  readonly rows: number[]
  readonly origins: number[]
  /** Bucket, or key of a big file; 0 for a whole unit. Tells the units of one row apart. */
  readonly keys: number[]
  /** Unit per row that names one, -1 for none, -2 - set for a directory that is split. */
  readonly unitOfRow: Int32Array
  /** Unit per bucket and per big file, -1 for one that is empty or whose directory is not split in this cut. */
  readonly unitOfBucket: Int32Array
  readonly unitOfBigFile: Int32Array
}

/** Adds a unit and returns its number; -1 for one without any work. */
function push(units: Units, line: Line, cost: CostModel, row: number, origin: number, key = 0): number {
  const entries = line.files + line.symlinks + line.directories
  if (entries === 0) return -1
  units.files.push(line.files)
  units.symlinks.push(line.symlinks)
  units.directories.push(line.directories)
  units.bytes.push(line.bytes)
  units.rows.push(row)
  units.origins.push(origin)
  units.keys.push(key)
  return units.costs.push(costOf(cost, line.bytes, entries)) - 1
}

function emptyUnits(rows: number, tally: Tally | undefined): Units {
  return {
    costs: [],
    files: [],
    symlinks: [],
    directories: [],
    bytes: [],
    rows: [],
    origins: [],
    keys: [],
    unitOfRow: new Int32Array(rows).fill(-1),
    unitOfBucket: new Int32Array(tally?.sets.bucketCount ?? 0).fill(-1),
    unitOfBigFile: new Int32Array(tally?.bigFiles.length ?? 0).fill(-1),
  }
}

function collectSet(units: Units, set: number, row: number, cost: CostModel, tally: Tally): void {
  const first = tally.sets.offsets[set] ?? 0
  const end = first + 2 ** (tally.sets.bits[set] ?? 0)
  for (let bucket = first; bucket < end; bucket++)
    units.unitOfBucket[bucket] = push(units, lineOf(tally.buckets, bucket), cost, row, origins.bucket, bucket)
}

function collectBigFiles(units: Units, cost: CostModel, tally: Tally): void {
  for (const [index, file] of tally.bigFiles.entries()) {
    const row = tally.sets.rows[file.set] ?? linkedRow
    if (units.unitOfRow[row] !== -2 - file.set) continue
    const line = { files: file.files, symlinks: 0, directories: 0, bytes: file.bytes }
    units.unitOfBigFile[index] = push(units, line, cost, row, origins.bigFile, file.key)
  }
}

/** All units with work in them. Without a tally no directory is split, however large. */
export function collectUnits(cutting: Cut, own: Totals, cost: CostModel, tally: Tally | undefined): Units {
  const units = emptyUnits(cutting.unitRow.length, tally)
  for (let row = 0; row < cutting.unitRow.length; row++) {
    if (cutting.unitRow[row] !== row) continue
    const set = tally?.sets.setOfRow[row] ?? -1
    const isSplit = set >= 0 && lineCost(own, row, cost) > cutting.granularitySeconds
    if (cutting.opened[row] === 0)
      units.unitOfRow[row] = push(units, lineOf(cutting.subtree, row), cost, row, origins.whole)
    else if (tally === undefined || !isSplit)
      units.unitOfRow[row] = push(units, lineOf(own, row), cost, row, origins.whole)
    else {
      units.unitOfRow[row] = -2 - set
      collectSet(units, set, row, cost, tally)
    }
  }
  if (tally === undefined) return units
  const last = tally.sets.rows.length - 1
  if (tally.sets.rows[last] === linkedRow) collectSet(units, last, linkedRow, cost, tally)
  collectBigFiles(units, cost, tally)
  return units
}

/**
 * Units from the costliest to the cheapest. Ties go by the path of the directory, bytewise, then by what tells the
 * units of one directory apart: row numbers depend on the order of the listing and must not show.
 */
export function descending(units: Units, tree: DirectoryTree): Uint32Array {
  const { costs, rows, origins: origin, keys } = units
  const rank = pathRanks(units, tree)
  const order = Uint32Array.from(costs, (_, unit) => unit)
  return order.sort(
    (one, other) =>
      (costs[other] ?? 0) - (costs[one] ?? 0) ||
      (rank[rows[one] ?? 0] ?? -1) - (rank[rows[other] ?? 0] ?? -1) ||
      (origin[one] ?? 0) - (origin[other] ?? 0) ||
      (keys[one] ?? 0) - (keys[other] ?? 0),
  )
}

/** Place among the paths of all rows that name units; `linkedRow` has none and comes first. */
function pathRanks(units: Units, tree: DirectoryTree): Int32Array {
  const rank = new Int32Array(tree.count)
  const named = [...new Set(units.rows)].filter((row) => row !== linkedRow)
  const paths = new Map(named.map((row) => [row, tree.path(row)]))
  named.sort((one, other) => ((paths.get(one) ?? '') < (paths.get(other) ?? '') ? -1 : 1))
  for (const [place, row] of named.entries()) rank[row] = place
  return rank
}
