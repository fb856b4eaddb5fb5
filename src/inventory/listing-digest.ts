/** Tells whether two listings name the same entries, whatever their order, without keeping either. */

import { kindBytes, type RecordView } from './entry.ts'

const PATH_SEED = 0x811c9dc5
const OTHER_SEED = 0x9e3779b9

/** The bits of a word spread over all of it: the end of MurmurHash3, which is in the public domain. */
function spread(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/**
 * Sums of two hashes per entry, of what the comparison by size and time looks at: kind and path, of files the size and
 * the whole second of the modification time, of symlinks the target. Sums do not depend on an order. Two listings that
 * differ have equal sums once in 2^64 by accident; nobody is kept from making such names on purpose.
 */
export class ListingDigest {
  entries = 0
  private one = 0
  private other = 0

  add(view: RecordView): void {
    let one = PATH_SEED ^ view.kindByte
    let other = OTHER_SEED + view.kindByte
    const { buffer, pathStart, pathEnd, targetStart, targetEnd } = view
    // A symlink's target stands right behind its path, with a NUL between them.
    const end = view.kindByte === kindBytes.symlink ? targetEnd : pathEnd
    for (let at = pathStart; at < end; at++) {
      const byte = buffer[at] ?? 0
      one = Math.imul(one ^ byte, 0x01000193)
      other = Math.imul(other, 0x27d4eb2f) + byte
    }
    if (view.kindByte === kindBytes.symlink) one ^= targetEnd - targetStart
    if (view.kindByte === kindBytes.file) {
      const time = view.hasMtime ? view.mtimeSeconds : 0.5
      for (const number of [view.size, time]) {
        // Numbers have up to 53 bits; the bit operations of the language take the lower 32.
        const high = Math.floor(number / 2 ** 32)
        one = spread(one ^ number) + Math.imul(high, 0x2545f491)
        other = spread(Math.imul(other, 0x165667b1) + number) ^ high
      }
    }
    this.entries++
    this.one = (this.one + spread(one ^ Math.imul(other, 0x5bd1e995))) | 0
    this.other = (this.other + spread(other + one)) | 0
  }

  equals(that: ListingDigest): boolean {
    return this.entries === that.entries && this.one === that.one && this.other === that.other
  }
}
