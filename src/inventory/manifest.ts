/** The bytes of a manifest: one head record, then one record per entry, a fate byte in front of the listing's own text. */

import type { RecordView } from './entry.ts'
import { Bug } from '../units.ts'

/** The first record, which has no fate and an empty target. */
export const manifestHead = Buffer.from('soxplan-manifest 1\0\0', 'latin1')

/** Bytes of one record in a manifest. */
export function recordLength(view: RecordView): number {
  return view.targetEnd - view.recordStart + 2
}

/**
 * Writes the record with its fate to `target` at `at`, NULs included, and returns the position behind it.
 * A plain loop: records are about a hundred bytes, for which it beats the call that a native copy costs.
 * @throws Bug when the record does not fit.
 */
export function writeRecord(view: RecordView, fateByte: number, target: Buffer, at: number): number {
  const { buffer, recordStart, targetEnd } = view
  if (at + recordLength(view) > target.length) throw new Bug('the record does not fit')
  target[at++] = fateByte
  for (let from = recordStart; from <= targetEnd; from++) target[at++] = buffer[from] ?? 0
  return at
}
