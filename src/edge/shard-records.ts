/** The records of shard files as bytes, copied from the manifest's record without a string on the way. */

import { kindBytes, type RecordView } from '../inventory/entry.ts'
import type { ListFile } from './shard-files.ts'

const space = 0x20
const dot = 0x2e
const slash = 0x2f
const minus = 0x2d

/** Bytes around the path in the longest record: kind, two numbers of up to 20 digits, spaces, `./`, `//`, NUL. */
const frameBytes = 64

/** A plain loop: names are short, and a native copy costs more than thirty bytes do. Returns the position behind. */
function copy(from: Uint8Array, start: number, end: number, to: Buffer, at: number): number {
  for (let next = start; next < end; next++) to[at++] = from[next] ?? 0
  return at
}

/** Copies from `start` up to a space, or up to a dot too where the fraction is not wanted. */
function copyField(from: Buffer, start: number, to: Buffer, at: number, stopAtDot: boolean): number {
  for (let next = start; ; next++) {
    const byte = from[next] ?? space
    if (byte === space || (stopAtDot && byte === dot)) return at
    to[at++] = byte
  }
}

function unknownField(to: Buffer, at: number): number {
  to[at] = minus
  to[at + 1] = space
  return at + 2
}

/** ` SIZE MTIME ` of a file, from the text of its record: `KIND SIZE MTIME.FRACTION …`. */
function fileFields(view: RecordView, withMtime: boolean, to: Buffer, at: number): number {
  const sizeStart = view.recordStart + 2
  const sizeAt = at
  at = copyField(view.buffer, sizeStart, to, at, false)
  const mtimeStart = sizeStart + (at - sizeAt) + 1
  to[at++] = space
  if (!withMtime || !view.hasMtime) return unknownField(to, at)
  at = copyField(view.buffer, mtimeStart, to, at, true)
  to[at++] = space
  return at
}

/** `./PATH\0`. */
export function writePath(file: ListFile, path: Uint8Array, start: number, end: number): void {
  file.reserve(end - start + frameBytes)
  const { buffer } = file
  let at = file.at
  buffer[at++] = dot
  buffer[at++] = slash
  at = copy(path, start, end, buffer, at)
  buffer[at++] = 0
  file.at = at
}

/** Bytes as they are. */
export function writeBytes(file: ListFile, content: Uint8Array): void {
  file.reserve(content.length)
  file.at = copy(content, 0, content.length, file.buffer, file.at)
}

/**
 * `f SIZE MTIME ./PATH\0`, `d - - ./PATH\0` or `l - - ./PATH//TARGET\0`. `path[start..end)` is the path as the
 * destination names it; a time is in whole seconds, `-` where it is not asked for or not known.
 */
export function writeExpected(
  file: ListFile,
  view: RecordView,
  withMtime: boolean,
  path: Uint8Array,
  start: number,
  end: number,
): void {
  const isLink = view.kindByte === kindBytes.symlink
  file.reserve(end - start + view.targetEnd - view.targetStart + frameBytes)
  const { buffer } = file
  let at = file.at
  buffer[at++] = view.kindByte
  buffer[at++] = space
  if (view.kindByte === kindBytes.file) at = fileFields(view, withMtime, buffer, at)
  else at = unknownField(buffer, unknownField(buffer, at))
  buffer[at++] = dot
  buffer[at++] = slash
  at = copy(path, start, end, buffer, at)
  if (isLink) {
    buffer[at++] = slash
    buffer[at++] = slash
    at = copy(view.buffer, view.targetStart, view.targetEnd, buffer, at)
  }
  buffer[at++] = 0
  file.at = at
}
