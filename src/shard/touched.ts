/** The directories that the work of a transfer touches. */

import type { DirectoryTree } from '../inventory/tree.ts'

/**
 * Rows of the directories that are work, or in which or below which something is, without the source itself: what is
 * written in a directory changes its times.
 *
 * @param all every directory, because something may be deleted in any of them
 */
export function touchedDirectories(tree: DirectoryTree, all = false): readonly number[] {
  const touched = new Uint8Array(tree.count)
  // A parent's row stands before its child's.
  for (let row = tree.count - 1; row > 0; row--) {
    if (!all && !tree.isWork(row) && tree.ownFiles(row) + tree.ownLinks(row) === 0 && touched[row] === 0)
      continue
    touched[row] = 1
    touched[tree.parent(row)] = 1
  }
  const rows: number[] = []
  for (let row = 1; row < tree.count; row++) if (touched[row] === 1) rows.push(row)
  return rows
}
