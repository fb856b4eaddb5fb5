/** Shows the records of a stream one after another, from chunks that are cut anywhere. */

import type { RecordView } from './entry.ts'
import { incomplete, malformed, readListingRecord, type Cursor } from './listing-record.ts'
import { readManifestRecord } from './manifest.ts'

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

/** No path or link target is nearly that long: a record that does not end is no record. */
const RECORD_BYTES_MAX = 1024 * 1024

/** Of a chunk, to finish a record that began in the one before: most records are shorter. */
const TORN_BYTES = 4096

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

/** Scans a listing, or a manifest behind its head. Calls `onRecord` with one reused view. */
export function createScanner(form: 'listing' | 'manifest', onRecord: (view: RecordView) => void): Scanner {
  const view = emptyView()
  const cursor: Cursor = { at: 0 }
  const readRecord = form === 'manifest' ? readManifestRecord : readListingRecord
  let rest = Buffer.alloc(0)
  /** Of the first byte of what is being scanned, which is that of `rest` between chunks. */
  let offset = 0
  let fault: ScanFault | undefined

  /** Shows the complete records of `buffer` from `at` on, `most` at most; returns where it stopped, or `malformed`. */
  const scan = (buffer: Buffer, at: number, most: number): number => {
    for (let shown = 0; shown < most; shown++) {
      const next = readRecord(buffer, at, cursor, view)
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
