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

const incomplete = -1
const malformed = -2

/** Position of the next space in `[from, …)`; `incomplete` at the end of the buffer, `malformed` at a NUL. */
function fieldEnd(buffer: Buffer, from: number): number {
  for (let at = from; at < buffer.length; at++) {
    const byte = buffer[at]
    if (byte === space) return at > from ? at : malformed
    if (byte === 0) return malformed
  }
  return incomplete
}

/** A decimal number without a sign, or -1. Rounded above 2^53. */
function decimal(buffer: Buffer, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = (buffer[at] ?? 0) - zero
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return from < to ? value : -1
}

/** find's `%T@`, `1700000000.1234567890`: whole seconds rounded down, a minus sign for times before 1970. `-` is unknown. */
function readMtime(buffer: Buffer, from: number, to: number, view: RecordView): boolean {
  const negative = buffer[from] === minus
  view.hasMtime = !(negative && to === from + 1)
  view.mtimeSeconds = 0
  view.mtimeNanos = 0
  if (!view.hasMtime) return true
  const start = negative ? from + 1 : from
  let point = start
  while (point < to && buffer[point] !== dot) point++
  const seconds = decimal(buffer, start, point)
  const nanos = point === to ? 0 : decimal(buffer, point + 1, Math.min(to, point + 10))
  view.mtimeSeconds = negative && seconds > 0 ? -seconds : seconds
  view.mtimeNanos = nanos
  return seconds >= 0 && nanos >= 0
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

/** `SIZE MTIME DEV INO NLINK MODE UID GID PATH`, the space before SIZE included. */
function readFields(buffer: Buffer, from: number, view: RecordView): number {
  let start = from + 1
  let end = fieldEnd(buffer, start)
  if (end < 0) return end
  const size = decimal(buffer, start, end)
  end = fieldEnd(buffer, (start = end + 1))
  if (end < 0) return end
  if (!readMtime(buffer, start, end, view) || size < 0) return malformed
  end = fieldEnd(buffer, (start = end + 1))
  if (end < 0) return end
  view.identityStart = start
  const device = decimal(buffer, start, end)
  end = fieldEnd(buffer, (start = end + 1))
  if (end < 0) return end
  view.identityEnd = end
  const inode = decimal(buffer, start, end)
  end = fieldEnd(buffer, (start = end + 1))
  if (end < 0) return end
  const links = decimal(buffer, start, end)
  if (device < 0 || inode < 0 || links < 0) return malformed
  view.size = size
  view.device = device
  view.inode = inode
  view.links = links
  // Mode and owner are carried along for the tools behind; the planner has no use for them.
  for (let skipped = 0; skipped < 3; skipped++) {
    end = fieldEnd(buffer, end + 1)
    if (end < 0) return end
  }
  return readNames(buffer, end + 1, view)
}

function readRecord(buffer: Buffer, from: number, hasFates: boolean, view: RecordView): number {
  const kindAt = hasFates ? from + 1 : from
  if (kindAt + 1 >= buffer.length) return incomplete
  if (buffer[kindAt + 1] !== space) return malformed
  view.buffer = buffer
  view.fateByte = hasFates ? (buffer[from] ?? 0) : 0
  view.recordStart = kindAt
  view.kindByte = buffer[kindAt] ?? 0
  return readFields(buffer, kindAt + 1, view)
}

function emptyView(): RecordView {
  return {
    fateByte: 0,
    kindByte: 0,
    size: 0,
    hasMtime: false,
    mtimeSeconds: 0,
    mtimeNanos: 0,
    device: 0,
    inode: 0,
    links: 0,
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
  const hasFates = form === 'manifest'
  let rest = Buffer.alloc(0)
  let offset = 0
  let fault: ScanFault | undefined
  return {
    push(chunk) {
      if (fault !== undefined) return fault
      const buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      for (;;) {
        const next = readRecord(buffer, at, hasFates, view)
        if (next === malformed) return (fault = { offset: offset + at, reason: 'malformed' })
        if (next === incomplete) {
          if (buffer.length - at > RECORD_BYTES_MAX)
            return (fault = { offset: offset + at, reason: 'malformed' })
          break
        }
        onRecord(view)
        at = next
      }
      offset += at
      rest = Buffer.from(buffer.subarray(at))
      return undefined
    },
    end() {
      if (fault === undefined && rest.length > 0) fault = { offset, reason: 'truncated' }
      return fault
    },
  }
}
