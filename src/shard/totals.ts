/** Sums of work per directory, in columns. */

import type { DirectoryTree } from '../inventory/tree.ts'
import { costOf } from './cost.ts'
import type { CostModel } from './shard.ts'

/** One number per row, unit, bucket or shard in each column; sums of whole numbers, exact up to 2^53. */
export interface Totals {
  readonly files: Float64Array
  readonly symlinks: Float64Array
  readonly directories: Float64Array
  readonly bytes: Float64Array
}

export function emptyTotals(length: number): Totals {
  return {
    files: new Float64Array(length),
    symlinks: new Float64Array(length),
    directories: new Float64Array(length),
    bytes: new Float64Array(length),
  }
}

/** One line of `Totals`, apart from its columns. */
export type Line = { readonly [Column in keyof Totals]: number }

export function lineOf(totals: Totals, line: number): Line {
  return {
    files: totals.files[line] ?? 0,
    symlinks: totals.symlinks[line] ?? 0,
    directories: totals.directories[line] ?? 0,
    bytes: totals.bytes[line] ?? 0,
  }
}

/** Adds one line of `from` to one line of `to`. */
export function addLine(to: Totals, at: number, from: Totals, line: number): void {
  to.files[at] = (to.files[at] ?? 0) + (from.files[line] ?? 0)
  to.symlinks[at] = (to.symlinks[at] ?? 0) + (from.symlinks[line] ?? 0)
  to.directories[at] = (to.directories[at] ?? 0) + (from.directories[line] ?? 0)
  to.bytes[at] = (to.bytes[at] ?? 0) + (from.bytes[line] ?? 0)
}

/** Adds files to one line. */
export function addFiles(to: Totals, at: number, files: number, bytes: number): void {
  to.files[at] = (to.files[at] ?? 0) + files
  to.bytes[at] = (to.bytes[at] ?? 0) + bytes
}

/** Entries of all kinds in one line. */
export function entriesOf(totals: Totals, line: number): number {
  return (totals.files[line] ?? 0) + (totals.symlinks[line] ?? 0) + (totals.directories[line] ?? 0)
}

/** Cost of one line in seconds. */
export function lineCost(totals: Totals, line: number, cost: CostModel): number {
  return costOf(cost, totals.bytes[line] ?? 0, entriesOf(totals, line))
}

/** Per directory: what stands directly in it and is work, and its own entry. The source itself has none. */
export function ownTotals(tree: DirectoryTree): Totals {
  const own = emptyTotals(tree.count)
  for (let row = 0; row < tree.count; row++) {
    own.files[row] = tree.ownFiles(row)
    own.symlinks[row] = tree.ownLinks(row)
    own.directories[row] = row > 0 && tree.isWork(row) ? 1 : 0
    own.bytes[row] = tree.ownBytes(row)
  }
  return own
}

/** Per directory: everything in and below it. A parent's row stands before its child's, so one walk backwards does. */
export function subtreeTotals(tree: DirectoryTree, own: Totals): Totals {
  const sums: Totals = {
    files: own.files.slice(),
    symlinks: own.symlinks.slice(),
    directories: own.directories.slice(),
    bytes: own.bytes.slice(),
  }
  for (let row = tree.count - 1; row > 0; row--) addLine(sums, tree.parent(row), sums, row)
  return sums
}
