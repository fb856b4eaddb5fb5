/** Takes NUL-terminated records apart, byte by byte, from chunks that are cut anywhere. */

import type { RecordView } from './entry.ts'

/** Why and where scanning stopped. `offset` counts bytes from the first chunk on. */
export interface ScanFault {
  readonly offset: number
  readonly reason: 'malformed' | 'truncated'
}

/** Feeds on chunks; every complete record has been shown when `push` returns. */
export interface Scanner {
  /** The chunk must stay unchanged until `push` returns. After a fault nothing more is scanned. */
  push(chunk: Buffer): ScanFault | undefined
  /** The stream is over: what is left of a record is a fault. */
  end(): ScanFault | undefined
}

const space = 0x20
const slash = 0x2f
const zero = 0x30
const minus = 0x2d
const dot = 0x2e

/** No path or link target is nearly that long: a record that does not end is no record. */
const RECORD_BYTES_MAX = 1024 * 1024

/** Of a chunk, to finish a record that began in the one before: most records are shorter. */
const TORN_BYTES = 4096

const incomplete = -1
const malformed = -2

/** Where reading goes on. One object for all fields, so that a field can return its value and move on at once. */
interface Cursor {
  at: number
}

/** A decimal number and the space behind it; rounded above 2^53. `incomplete` or `malformed` where there is none. */
function readNumber(buffer: Buffer, cursor: Cursor): number {
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

/** find's `%T@`, `1700000000.1234567890`: whole seconds rounded down, a minus sign for times before 1970. `-` is unknown. */
function readMtime(buffer: Buffer, cursor: Cursor, view: RecordView): number {
  const isNegative = buffer[cursor.at] === minus
  const start = isNegative ? cursor.at + 1 : cursor.at
  let seconds = 0
  let point = 0
  for (let at = start; at < buffer.length; at++) {
    const byte = buffer[at] ?? 0
    const digit = byte - zero
    if (digit >= 0 && digit <= 9) {
      if (point === 0) seconds = seconds * 10 + digit
    } else if (byte === dot && point === 0 && at > start) point = at
    else {
      cursor.at = at + 1
      view.hasMtime = at > start
      view.mtimeSeconds = isNegative && seconds > 0 ? -seconds : seconds
      const isWhole = view.hasMtime ? point + 1 !== at : isNegative
      return byte === space && isWhole ? 0 : malformed
    }
  }
  return incomplete
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
  return skipped < 0 ? skipped : readNames(buffer, cursor.at, view)
}

function readRecord(
  buffer: Buffer,
  from: number,
  hasFates: boolean,
  cursor: Cursor,
  view: RecordView,
): number {
  const kindAt = hasFates ? from + 1 : from
  if (kindAt + 1 >= buffer.length) return incomplete
  if (buffer[kindAt + 1] !== space) return malformed
  view.buffer = buffer
  view.fateByte = hasFates ? (buffer[from] ?? 0) : 0
  view.recordStart = kindAt
  view.kindByte = buffer[kindAt] ?? 0
  cursor.at = kindAt + 2
  return readFields(buffer, cursor, view)
}

function emptyView(): RecordView {
  return {
    fateByte: 0,
    kindByte: 0,
    size: 0,
    hasMtime: false,
    mtimeSeconds: 0,
    links: 0,
    ownerStart: 0,
    buffer: Buffer.alloc(0),
    recordStart: 0,
    identityStart: 0,
    identityEnd: 0,
    pathStart: 0,
    pathEnd: 0,
    nameStart: 0,
    isAscii: true,
    targetStart: 0,
    targetEnd: 0,
  }
}

/**
 * Scans records of the form `KIND SIZE MTIME DEV INO NLINK MODE UID GID PATH\0TARGET\0`: with a fate byte in front
 * of each it is a manifest behind its first record, without it a listing. Calls `onRecord` with one reused view.
 */
export function createScanner(form: 'listing' | 'manifest', onRecord: (view: RecordView) => void): Scanner {
  const view = emptyView()
  const cursor: Cursor = { at: 0 }
  const hasFates = form === 'manifest'
  let rest = Buffer.alloc(0)
  /** Of the first byte of what is being scanned, which is that of `rest` between chunks. */
  let offset = 0
  let fault: ScanFault | undefined

  /** Shows the complete records of `buffer` from `at` on, `most` at most; returns where it stopped, or `malformed`. */
  const scan = (buffer: Buffer, at: number, most: number): number => {
    for (let shown = 0; shown < most; shown++) {
      const next = readRecord(buffer, at, hasFates, cursor, view)
      const isEndless = next === incomplete && buffer.length - at > RECORD_BYTES_MAX
      if (next === incomplete && !isEndless) break
      if (next < 0) {
        fault = { offset: offset + at, reason: 'malformed' }
        return malformed
      }
      onRecord(view)
      at = next
    }
    return at
  }
  /** Shows the record that the last chunk began, joined with no more of this one than it takes. Returns as `scan`. */
  const finishTorn = (chunk: Buffer): number => {
    for (let taken = TORN_BYTES; ; taken *= 8) {
      const joined = Buffer.concat([rest, chunk.subarray(0, taken)])
      const end = scan(joined, 0, 1)
      if (end === malformed) return malformed
      if (end > 0) {
        const torn = rest.length
        offset += torn
        rest = Buffer.alloc(0)
        return end - torn
      }
      if (taken < chunk.length) continue
      rest = joined
      return chunk.length
    }
  }
  return {
    push(chunk) {
      if (fault !== undefined) return fault
      const start = rest.length === 0 ? 0 : finishTorn(chunk)
      if (start === malformed || rest.length > 0) return fault
      const end = scan(chunk, start, Infinity)
      if (end === malformed) return fault
      offset += end
      rest = Buffer.from(chunk.subarray(end))
      return undefined
    },
    end() {
      if (fault === undefined && rest.length > 0) fault = { offset, reason: 'truncated' }
      return fault
    },
  }
}
