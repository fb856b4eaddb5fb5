/** One entry of a source, and what the plan makes of it. The manifest holds nothing else. */

/** First character of a manifest record, the same symbols as in the preview. */
export type Fate =
  /** `+` not at the destination yet */
  | 'new'
  /** `~` there and different: will be written over */
  | 'changed'
  /** `?` there and equal as far as names, sizes and times tell, but the plan asks for more: goes through tool and proof */
  | 'check'
  /** `@` there and equal, but a fixup stands behind the copy: never goes through the tool, only its attributes are set */
  | 'attributes'
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
  attributes: '@',
  same: '=',
  skipped: '-',
  refused: '!',
}

/** `find -printf %y` letters: `f` file, `d` directory, `l` symlink; everything else is special. */
export type Kind = 'f' | 'd' | 'l' | 's'

/** The bytes of a manifest record that tell the fate, for comparing without making text of them. */
export const fateBytes: Readonly<Record<Fate, number>> = {
  new: 0x2b,
  changed: 0x7e,
  check: 0x3f,
  attributes: 0x40,
  same: 0x3d,
  skipped: 0x2d,
  refused: 0x21,
}

/** Work is what goes into shards: `new`, `changed`, `check` and `attributes`. */
export function isWorkFate(fateByte: number): boolean {
  return (
    fateByte === fateBytes.new ||
    fateByte === fateBytes.changed ||
    fateByte === fateBytes.check ||
    fateByte === fateBytes.attributes
  )
}

/** Bytes that the work on a file moves: none where only its attributes are set. */
export function workBytes(view: RecordView, fateByte = view.fateByte): number {
  return fateByte === fateBytes.attributes ? 0 : view.size
}

/**
 * Bytes of find's letters that are told apart; any other letter is a special file. `unknown` is find's for a type that it can
 * not tell; a remote's object without a size gets it too.
 */
export const kindBytes = { file: 0x66, directory: 0x64, symlink: 0x6c, unknown: 0x55 } as const

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
  /** Bytes, as the source says it; only a regular file's means something to a transfer. */
  size: number
  /** The source told a modification time; false: the number below is 0. */
  hasMtime: boolean
  /** Whole seconds since the epoch: floor, may be negative. */
  mtimeSeconds: number
  links: number
  /** `MODE UID GID ` as text begins here; where the source does not tell them, each is `-`. */
  ownerStart: number
  /** The memory all positions below count in. */
  buffer: Buffer
  /** The kind letter, so the fate byte of a manifest record stands right before it. */
  recordStart: number
  /** `DEV INO` as text, `buffer[identityStart..identityEnd)`: the hard-link identity. Both are 0 where the source has none. */
  identityStart: number
  identityEnd: number
  /** Path relative to the source, raw bytes, `buffer[pathStart..pathEnd)`. */
  pathStart: number
  pathEnd: number
  /** Where the last name of the path begins: `pathStart` for an entry that stands directly in the source. */
  nameStart: number
  /** Every byte of the path is below 128: it is valid UTF-8 without looking further. */
  isAscii: boolean
  /** Symlink target, raw bytes; an empty range otherwise. The record ends with the NUL at `targetEnd`. */
  targetStart: number
  targetEnd: number
}
