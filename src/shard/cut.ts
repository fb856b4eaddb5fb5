/** Cuts a tree of directories from the top: what is small enough stays whole, the rest is opened. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { lineCost, subtreeTotals, type Totals } from './totals.ts'
import type { CostModel } from './shard.ts'

/**
 * Which unit each directory belongs to. A unit is named by its topmost directory: either that whole subtree, or,
 * where the directory was opened, only its own entry and what stands directly in it.
 */
export interface Cut {
  readonly granularitySeconds: number
  /** Per row: the row its unit is named by. */
  readonly unitRow: Int32Array
  /** Per row: 1 when its subtree costs more than the granularity, so that it is no unit as a whole. */
  readonly opened: Uint8Array
  /** Per row: all that stands in and below it. */
  readonly subtree: Totals
}

/**
 * `own` are the totals per directory, seconds come from `cost`. Rows are walked in their order, which has parents
 * first, so that a thousand levels are no deeper than ten. What `opens` says no to stays whole, whatever it costs.
 */
export function cut(
  tree: DirectoryTree,
  own: Totals,
  cost: CostModel,
  granularitySeconds: number,
  opens: (row: number) => boolean = () => true,
): Cut {
  const subtree = subtreeTotals(tree, own)
  const unitRow = new Int32Array(tree.count)
  const opened = new Uint8Array(tree.count)
  for (let row = 0; row < tree.count; row++) {
    const parent = tree.parent(row)
    if (parent >= 0 && opened[parent] === 0) {
      unitRow[row] = unitRow[parent] ?? 0
      continue
    }
    unitRow[row] = row
    opened[row] = lineCost(subtree, row, cost) > granularitySeconds && opens(row) ? 1 : 0
  }
  return { granularitySeconds, unitRow, opened, subtree }
}

/** Opened directories whose direct entries alone are over the granularity: they are split into file sets. */
export function rowsToSplit(cutting: Cut, own: Totals, cost: CostModel): number[] {
  const rows: number[] = []
  for (let row = 0; row < cutting.opened.length; row++)
    if (cutting.opened[row] === 1 && lineCost(own, row, cost) > cutting.granularitySeconds) rows.push(row)
  return rows
}
