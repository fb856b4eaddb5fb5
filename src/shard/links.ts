/** Hard-link groups: all names of one inode go into one shard, in memory that does not grow with their number. */

import { hashBytes, prefix } from './hash.ts'
import { addFiles, type Totals } from './totals.ts'
import { workBytes, type RecordView } from '../inventory/entry.ts'

const unseen = -1
const crossing = -2

/**
 * One slot per hash of (device, inode), 21 bits at most. A slot remembers the one unit in which it has met files; once it
 * meets a second unit, its files *cross* and are taken out of the units they stand in. Inodes that share a slot
 * share this fate, which costs a little locality and nothing else. What a slot holds depends on the set of files
 * alone, never on their order.
 */
export class LinkSlots {
  private readonly unitRow: Int32Array
  private readonly files: Float64Array
  private readonly bytes: Float64Array
  private readonly bits: number

  constructor(bits: number) {
    this.bits = bits
    this.unitRow = new Int32Array(2 ** bits).fill(unseen)
    this.files = new Float64Array(2 ** bits)
    this.bytes = new Float64Array(2 ** bits)
  }

  slotOf(view: RecordView): number {
    return prefix(hashBytes(view.buffer, view.identityStart, view.identityEnd), this.bits)
  }

  /** Counts a file of the unit named by `unitRow`; what crosses is subtracted from that row of `own`. */
  add(view: RecordView, unitRow: number, own: Totals): void {
    const slot = this.slotOf(view)
    const met = this.unitRow[slot]
    if (met === unseen) this.unitRow[slot] = unitRow
    else if (met !== undefined && met !== unitRow) {
      if (met !== crossing) addFiles(own, met, -(this.files[slot] ?? 0), -(this.bytes[slot] ?? 0))
      this.unitRow[slot] = crossing
    }
    if (this.unitRow[slot] === crossing) addFiles(own, unitRow, -1, -workBytes(view))
    this.files[slot] = (this.files[slot] ?? 0) + 1
    this.bytes[slot] = (this.bytes[slot] ?? 0) + workBytes(view)
  }

  crosses(slot: number): boolean {
    return this.unitRow[slot] === crossing
  }

  /** Every slot in use: the row of its unit, undefined where it crosses; its files and bytes. */
  forEach(show: (slot: number, unitRow: number | undefined, files: number, bytes: number) => void): void {
    for (let slot = 0; slot < this.unitRow.length; slot++) {
      const row = this.unitRow[slot] ?? unseen
      if (row === unseen) continue
      show(slot, row === crossing ? undefined : row, this.files[slot] ?? 0, this.bytes[slot] ?? 0)
    }
  }
}
