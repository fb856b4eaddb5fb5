/** The text of one record as listings have it, and the manifest behind its guide: `KIND SIZE MTIME DEV INO NLINK MODE UID GID PATH\0TARGET\0`. */

import type { RecordView } from './entry.ts'

const space = 0x20
const slash = 0x2f
const zero = 0x30
const minus = 0x2d
const dot = 0x2e

/** What reading says instead of a position: more bytes are needed. */
export const incomplete = -1
/** What reading says instead of a position: no further byte would make a record of it. */
export const malformed = -2

/** Of everything in front of a path: find needs 140 at most, and the manifest counts them in one byte. */
const HEAD_BYTES_MAX = 255

/** Where reading goes on. One object for all fields, so that a field can return its value and move on at once. */
export interface Cursor {
  at: number
}

/** A decimal number and the space behind it; rounded above 2^53. `incomplete` or `malformed` where there is none. */
export function readNumber(buffer: Buffer, cursor: Cursor): number {
  const start = cursor.at
  let value = 0
  for (let at = start; at < buffer.length; at++) {
    const byte = buffer[at] ?? 0
    const digit = byte - zero
    if (digit >= 0 && digit <= 9) value = value * 10 + digit
    else {
      cursor.at = at + 1
      return byte === space && at > start ? value : malformed
    }
  }
  return incomplete
}

/**
 * The whole seconds of find's `%T@`, `1700000000.1234567890`: rounded down, a minus sign for times before 1970. `-` is
 * unknown. Moves to what stands behind them.
 */
export function readSeconds(buffer: Buffer, cursor: Cursor, view: RecordView): void {
  const isNegative = buffer[cursor.at] === minus
  const start = isNegative ? cursor.at + 1 : cursor.at
  let seconds = 0
  let at = start
  for (; at < buffer.length; at++) {
    const digit = (buffer[at] ?? 0) - zero
    if (digit < 0 || digit > 9) break
    seconds = seconds * 10 + digit
  }
  cursor.at = at
  view.hasMtime = at > start
  view.mtimeSeconds = isNegative && seconds > 0 ? -seconds : seconds
}

/** A time and the space behind it. */
function readMtime(buffer: Buffer, cursor: Cursor, view: RecordView): number {
  const start = cursor.at
  readSeconds(buffer, cursor, view)
  let at = cursor.at
  const point = at
  if (view.hasMtime && buffer[at] === dot)
    for (at++; at < buffer.length; at++) {
      const digit = (buffer[at] ?? 0) - zero
      if (digit < 0 || digit > 9) break
    }
  if (at >= buffer.length) return incomplete
  cursor.at = at + 1
  // A sign alone stands for an unknown time; a point wants digits on both sides.
  const isWhole = view.hasMtime ? at !== point + 1 : at === start + 1
  return buffer[at] === space && isWhole ? 0 : malformed
}

/** Moves behind so many fields, whatever is in them. */
function skipFields(buffer: Buffer, cursor: Cursor, count: number): number {
  let start = cursor.at
  for (let at = start; at < buffer.length; at++) {
    const byte = buffer[at]
    if (byte === 0) return malformed
    if (byte !== space) continue
    if (at === start) return malformed
    start = at + 1
    if (--count > 0) continue
    cursor.at = start
    return 0
  }
  return incomplete
}

/** From the path on: two NULs, and the last slash of the path. Returns where the next record starts. */
function readNames(buffer: Buffer, from: number, view: RecordView): number {
  let at = from
  let nameStart = from
  let allBits = 0
  for (; at < buffer.length; at++) {
    const byte = buffer[at] ?? 0
    allBits |= byte
    if (byte === slash) nameStart = at + 1
    else if (byte === 0) break
  }
  view.pathStart = from
  view.nameStart = nameStart
  view.isAscii = allBits < 0x80
  view.pathEnd = at
  view.targetStart = at + 1
  for (at++; at < buffer.length; at++) if (buffer[at] === 0) break
  if (at >= buffer.length) return incomplete
  view.targetEnd = at
  return view.pathEnd === from ? malformed : at + 1
}

/** `SIZE MTIME DEV INO NLINK MODE UID GID PATH`. */
function readFields(buffer: Buffer, cursor: Cursor, view: RecordView): number {
  const size = readNumber(buffer, cursor)
  if (size < 0) return size
  const mtime = readMtime(buffer, cursor, view)
  if (mtime < 0) return mtime
  view.identityStart = cursor.at
  const identity = skipFields(buffer, cursor, 2)
  if (identity < 0) return identity
  view.identityEnd = cursor.at - 1
  const links = readNumber(buffer, cursor)
  if (links < 0) return links
  view.size = size
  view.links = links
  // Mode and owner are read where somebody asks for them.
  view.ownerStart = cursor.at
  const skipped = skipFields(buffer, cursor, 3)
  if (skipped < 0) return skipped
  return cursor.at - view.recordStart > HEAD_BYTES_MAX ? malformed : readNames(buffer, cursor.at, view)
}

/** Fills `view` with the record at `from`. Returns where the next one starts, `incomplete` or `malformed`. */
export function readListingRecord(buffer: Buffer, from: number, cursor: Cursor, view: RecordView): number {
  if (from + 1 >= buffer.length) return incomplete
  if (buffer[from + 1] !== space) return malformed
  view.buffer = buffer
  view.fateByte = 0
  view.recordStart = from
  view.kindByte = buffer[from] ?? 0
  cursor.at = from + 2
  return readFields(buffer, cursor, view)
}
