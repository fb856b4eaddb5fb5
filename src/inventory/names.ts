/** Which names a tool or a disk can not hold, judged by their raw bytes. */

import type { RecordView } from './entry.ts'

const slash = 0x2f
const dot = 0x2e

/** Longest path that system calls take, without the closing NUL. */
const PATH_BYTES_MAX = 4095

/** True for well-formed UTF-8 as of Unicode: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end;) {
    const first = buffer[at++] ?? 0
    if (first < 0x80) continue
    if (first < 0xc2 || first > 0xf4) return false
    const second = at < end ? (buffer[at++] ?? 0) : 0
    const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    if (second < lowest || second > highest) return false
    for (let more = first < 0xe0 ? 0 : first < 0xf0 ? 1 : 2; more > 0; more--) {
      const byte = at < end ? (buffer[at++] ?? 0) : 0
      if (byte < 0x80 || byte > 0xbf) return false
    }
  }
  return true
}

/** The path holds U+FFFD, which is what rclone shows where it could not represent a name. */
export function holdsReplacement(view: RecordView): boolean {
  if (view.isAscii) return false
  const { buffer, pathStart, pathEnd } = view
  for (let at = pathStart; at + 2 < pathEnd; at++)
    if (buffer[at] === 0xef && buffer[at + 1] === 0xbf && buffer[at + 2] === 0xbd) return true
  return false
}

/** A segment of the path is empty, `.` or `..`: an object store holds such keys, no directory does. */
export function hasImpossibleSegment(view: RecordView): boolean {
  const { buffer, pathStart, pathEnd } = view
  let start = pathStart
  for (let at = pathStart; at <= pathEnd; at++) {
    if (at < pathEnd && buffer[at] !== slash) continue
    const length = at - start
    if (length === 0) return true
    if (length <= 2 && buffer[start] === dot && buffer[at - 1] === dot) return true
    start = at + 1
  }
  return false
}

/** U+FF0E, in which rclone shows a dot that makes a segment of a key on its own, or two of them. */
const wideDot = Buffer.from('\uff0e')

/** A segment of the path is `.` or `..` in the bucket, which rclone shows in wide dots and asks for in vain. */
export function hasDotSegment({ buffer, pathStart, pathEnd, isAscii }: RecordView): boolean {
  if (isAscii) return false
  const path = buffer.subarray(pathStart, pathEnd)
  for (let at = path.indexOf(wideDot); at >= 0; at = path.indexOf(wideDot, at + 1)) {
    if (at > 0 && path[at - 1] !== slash) continue
    const next = at + wideDot.length
    const end = path.indexOf(wideDot, next) === next ? next + wideDot.length : next
    if (end === path.length || path[end] === slash) return true
  }
  return false
}

/** Characters that XML 1.0 has no way to write: control characters but tab, newline and carriage return. */
function isUnspeakable(code: number): boolean {
  return code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d
}

/**
 * A directory on the way, or the entry itself if it is one, has a control character that XML can not hold: as itself
 * in a name of raw bytes, as a symbol from U+2400 on in rclone's spelling.
 */
export function hasUnspeakableFolder(view: RecordView, isDirectory: boolean): boolean {
  const { buffer, pathStart, pathEnd } = view
  const end = isDirectory ? pathEnd : pathStart + buffer.subarray(pathStart, pathEnd).lastIndexOf(slash)
  for (let at = pathStart; at < end; at++) {
    const byte = buffer[at] ?? 0
    if (isUnspeakable(byte)) return true
    if (byte === 0xe2 && buffer[at + 1] === 0x90 && isUnspeakable((buffer[at + 2] ?? 0) - 0x80)) return true
  }
  return false
}

/** The path is too long for a system call below a root of `rootBytes` bytes. */
export function isTooLong(view: RecordView, rootBytes: number): boolean {
  return rootBytes + 1 + view.pathEnd - view.pathStart > PATH_BYTES_MAX
}
