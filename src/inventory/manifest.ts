/**
 * The bytes of a manifest: a head, then one record per entry, which is the listing's own text behind a guide that says
 * where in it things stand. Listings are read once, byte by byte; manifests several times, and most of a record is for
 * nobody who reads it.
 */

import { Bug } from '../units.ts'
import type { RecordView } from './entry.ts'
import { incomplete, malformed, readNumber, readSeconds, type Cursor } from './listing-record.ts'

/** What a manifest begins with; the number changes with the form of the records. */
export const manifestHead = Buffer.from('soxplan-manifest 2\0', 'latin1')

/**
 * The guide: fate; 1 for a path of ASCII alone; bytes from the kind to the identity, to the number of links and to the
 * path; then, in three bytes each, of the path up to its last name, of the path, and of the target.
 */
const GUIDE_BYTES = 14
const guideAt = {
  fate: 0,
  ascii: 1,
  identity: 2,
  links: 3,
  path: 4,
  name: 5,
  pathLength: 8,
  target: 11,
} as const

/** Bytes of one record in a manifest. */
export function recordLength(view: RecordView): number {
  return GUIDE_BYTES + view.targetEnd + 1 - view.recordStart
}

function writeLength(length: number, target: Buffer, at: number): void {
  target[at] = length & 0xff
  target[at + 1] = (length >> 8) & 0xff
  target[at + 2] = length >> 16
}

function readLength(buffer: Buffer, at: number): number {
  return (buffer[at] ?? 0) | ((buffer[at + 1] ?? 0) << 8) | ((buffer[at + 2] ?? 0) << 16)
}

/**
 * Writes the record with its fate to `target` at `at`, and returns the position behind it. A plain loop: records are
 * about a hundred bytes, for which it beats the call that a native copy costs.
 * @throws Bug when the record does not fit.
 */
export function writeRecord(view: RecordView, fateByte: number, target: Buffer, at: number): number {
  const { buffer, recordStart, pathStart, targetEnd } = view
  if (at + recordLength(view) > target.length) throw new Bug('the record does not fit')
  target[at + guideAt.fate] = fateByte
  target[at + guideAt.ascii] = view.isAscii ? 1 : 0
  target[at + guideAt.identity] = view.identityStart - recordStart
  target[at + guideAt.links] = view.identityEnd + 1 - recordStart
  target[at + guideAt.path] = pathStart - recordStart
  writeLength(view.nameStart - pathStart, target, at + guideAt.name)
  writeLength(view.pathEnd - pathStart, target, at + guideAt.pathLength)
  writeLength(targetEnd - view.targetStart, target, at + guideAt.target)
  at += GUIDE_BYTES
  for (let from = recordStart; from <= targetEnd; from++) target[at++] = buffer[from] ?? 0
  return at
}

/** Fills `view` with the record at `from`. Returns where the next one starts, `incomplete` or `malformed`. */
export function readManifestRecord(buffer: Buffer, from: number, cursor: Cursor, view: RecordView): number {
  const start = from + GUIDE_BYTES
  if (start > buffer.length) return incomplete
  const pathStart = start + (buffer[from + guideAt.path] ?? 0)
  const pathEnd = pathStart + readLength(buffer, from + guideAt.pathLength)
  const targetEnd = pathEnd + 1 + readLength(buffer, from + guideAt.target)
  if (targetEnd >= buffer.length) return incomplete
  view.buffer = buffer
  view.fateByte = buffer[from + guideAt.fate] ?? 0
  view.kindByte = buffer[start] ?? 0
  view.recordStart = start
  view.isAscii = buffer[from + guideAt.ascii] === 1
  view.pathStart = pathStart
  view.nameStart = pathStart + readLength(buffer, from + guideAt.name)
  view.pathEnd = pathEnd
  view.targetStart = pathEnd + 1
  view.targetEnd = targetEnd
  cursor.at = start + 2
  view.size = readNumber(buffer, cursor)
  readSeconds(buffer, cursor, view)
  view.identityStart = start + (buffer[from + guideAt.identity] ?? 0)
  cursor.at = start + (buffer[from + guideAt.links] ?? 0)
  view.identityEnd = cursor.at - 1
  view.links = readNumber(buffer, cursor)
  view.ownerStart = cursor.at
  // Both ends are NULs where the guide and the text belong together.
  const isWhole = buffer[pathEnd] === 0 && buffer[targetEnd] === 0
  const isNamed = pathStart < pathEnd && view.nameStart <= pathEnd
  return isWhole && isNamed && view.size >= 0 && view.links >= 0 ? targetEnd + 1 : malformed
}
