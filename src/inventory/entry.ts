/** One entry of a source, and what the plan makes of it. The manifest holds nothing else. */

/** First character of a manifest record, the same symbols as in the preview. */
export type Fate =
  /** `+` not at the destination yet */
  | 'new'
  /** `~` there and different: will be written over */
  | 'changed'
  /** `?` there and equal as far as names, sizes and times tell, but the plan asks for more: goes through tool and proof */
  | 'check'
  /** `=` there already, by the comparison in force */
  | 'same'
  /** `-` left out with a reason that the plan states: special file, kept by `existing`, symlink under `symlinks: skip` */
  | 'skipped'
  /** `!` there and different under `existing: error`, or impossible at the destination: fails by name */
  | 'refused'

export const fateSymbols: Readonly<Record<Fate, string>> = {
  new: '+',
  changed: '~',
  check: '?',
  same: '=',
  skipped: '-',
  refused: '!',
}

/** `find -printf %y` letters: `f` file, `d` directory, `l` symlink; everything else is special. */
export type Kind = 'f' | 'd' | 'l' | 's'

/**
 * A record as the scanner shows it, valid only during the callback: it points into the scanner's own buffer and
 * is filled anew for the next record. Whoever keeps anything copies it. One object for all, because ten million
 * of them would be the memory the manifest exists to avoid.
 */
export interface RecordView {
  /** `+ ~ ? = - !` as a byte; 0 in a listing that has not been compared yet. */
  fateByte: number
  /** `f d l` and find's letters for special files, as a byte. */
  kindByte: number
  /** Bytes; 0 for anything but files. */
  size: number
  /** Whole seconds since the epoch (floor) and the fraction as nanoseconds. */
  mtimeSeconds: number
  mtimeNanos: number
  /** Hard-link identity. Both 0 where the source has none. */
  device: number
  inode: number
  links: number
  /** Path relative to the source, raw bytes, `buffer[pathStart..pathEnd)`; empty for the source itself. */
  buffer: Buffer
  recordStart: number
  pathStart: number
  pathEnd: number
  /** Symlink target, raw bytes; an empty range otherwise. The record ends with the NUL at `targetEnd`. */
  targetStart: number
  targetEnd: number
}
