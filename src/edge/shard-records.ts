/** The records of shard files as bytes, copied from the manifest's record without a string on the way. */

import { fateBytes, kindBytes, type RecordView } from '../inventory/entry.ts'
import { encoded, writePlain, type PathForm } from './shard-paths.ts'
import type { ListFile } from './shard-files.ts'

const space = 0x20
const dot = 0x2e
const slash = 0x2f
const minus = 0x2d
/** From a small letter to the capital one. */
const toUpperCase = 0x20

/** Bytes around the path in the longest record: kind, two numbers of up to 20 digits, spaces, `//`, NUL. */
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

/** `KIND SIZE MTIME ` with `-` for what is not asked for or not known, from the text of the manifest's record. */
function writeHead(view: RecordView, withMtime: boolean, to: Buffer, at: number): number {
  to[at++] = view.fateByte === fateBytes.attributes ? view.kindByte - toUpperCase : view.kindByte
  to[at++] = space
  // Of a symlink on a remote nobody knows more than how long its target is.
  const isLong = view.kindByte === kindBytes.symlink && view.targetStart === view.targetEnd
  if (view.kindByte !== kindBytes.file && !isLong) return unknownField(to, unknownField(to, at))
  const sizeStart = view.recordStart + 2
  const sizeAt = at
  at = copyField(view.buffer, sizeStart, to, at, false)
  const mtimeStart = sizeStart + (at - sizeAt) + 1
  to[at++] = space
  if (isLong || !withMtime || !view.hasMtime) return unknownField(to, at)
  at = copyField(view.buffer, mtimeStart, to, at, true)
  to[at++] = space
  return at
}

/** `//TARGET` of a symlink, and the NUL that ends the record. */
function writeTail(view: RecordView, to: Buffer, at: number): number {
  if (view.kindByte === kindBytes.symlink) {
    to[at++] = slash
    to[at++] = slash
    at = copy(view.buffer, view.targetStart, view.targetEnd, to, at)
  }
  to[at++] = 0
  return at
}

/** Bytes as they are. */
export function writeBytes(file: ListFile, content: Uint8Array): void {
  file.reserve(content.length)
  file.at = copy(content, 0, content.length, file.buffer, file.at)
}

/** The path of a record in this form. */
export function writePath(file: ListFile, view: RecordView, form: PathForm): void {
  file.reserve(view.pathEnd - view.pathStart + frameBytes)
  const end = writePlain(form, view, file.buffer, file.at)
  if (end >= 0) file.at = end
  else writeBytes(file, encoded(form, view.buffer.subarray(view.pathStart, view.pathEnd)))
}

/** `f SIZE MTIME ./PATH\0` for the file that stands for a symlink on a remote and holds its target; `form` names it. */
export function writeLinkFile(file: ListFile, view: RecordView, withMtime: boolean, form: PathForm): void {
  const mtime = withMtime && view.hasMtime ? String(view.mtimeSeconds) : '-'
  writeBytes(file, Buffer.from(`f ${view.targetEnd - view.targetStart} ${mtime} `))
  writePath(file, view, form)
  writeBytes(file, Buffer.of(0))
}

/**
 * `f SIZE MTIME ./PATH\0`, `d - - ./PATH\0` or `l - - ./PATH//TARGET\0`, the path in `form`, which has no NUL of
 * its own; `l SIZE - ./PATH//\0` for a symlink whose target is not known. A time is in whole seconds. Where only attributes
 * are to be set the letter is a capital one: `F`, `D`, `L`.
 */
export function writeExpected(file: ListFile, view: RecordView, withMtime: boolean, form: PathForm): void {
  const targetBytes = view.targetEnd - view.targetStart
  file.reserve(view.pathEnd - view.pathStart + targetBytes + frameBytes)
  const { buffer } = file
  const headEnd = writeHead(view, withMtime, buffer, file.at)
  const pathEnd = writePlain(form, view, buffer, headEnd)
  if (pathEnd >= 0) {
    file.at = writeTail(view, buffer, pathEnd)
    return
  }
  // The encoded path may need more room, and making room may empty the buffer: so the record is made apart.
  const head = Buffer.from(buffer.subarray(file.at, headEnd))
  const tail = Buffer.allocUnsafe(targetBytes + frameBytes)
  const tailEnd = writeTail(view, tail, 0)
  const path = encoded(form, view.buffer.subarray(view.pathStart, view.pathEnd))
  writeBytes(file, Buffer.concat([head, path, tail.subarray(0, tailEnd)]))
}
