/** What the planner keeps of a listing: one row per directory. Memory grows with directories, never with files. */

/**
 * Directories of one source, row 0 being the source itself. Only *work* is counted: entries whose fate is
 * `new`, `changed`, `check` or `attributes`, the last without its bytes. Row numbers depend on the order of the listing; whoever must not depend on it
 * sorts by `path`. A parent's row exists before its child's.
 */
export interface DirectoryTree {
  readonly count: number
  /** Row of the parent; -1 for row 0. */
  parent(row: number): number
  /** Path relative to the source as latin1 text, one character per raw byte, no slash at either end; '' for row 0. */
  path(row: number): string
  /** Regular files directly in this directory that are work, and their bytes. */
  ownFiles(row: number): number
  ownBytes(row: number): number
  /** Symlinks directly in this directory that are work. */
  ownLinks(row: number): number
  /** Largest file directly in this directory that is work, bytes. */
  ownLargestBytes(row: number): number
  /** This directory's own entry is work: it has to be made at the destination. */
  isWork(row: number): boolean
  /** Something, work or not, stands in this directory or below it. */
  isOccupied(row: number): boolean
  /** Some entry that is work has more than one link: hard-link groups must be looked for. */
  readonly hasHardLinks: boolean
}
