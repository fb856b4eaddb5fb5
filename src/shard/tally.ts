/** What totals per directory can not tell, counted in one pass over the manifest: buckets, big files, hard links. */

import { isWorkFate, kindBytes, workBytes, type RecordView } from '../inventory/entry.ts'
import type { Cut } from './cut.ts'
import { hashBytes, prefix, wideHash } from './hash.ts'
import { LinkSlots } from './links.ts'
import { linkedRow, type FileSets } from './sets.ts'
import { addFiles, emptyTotals, type Totals } from './totals.ts'

/** A file that costs as much as a bucket is a unit of its own. Two names that hash alike count as one. */
export interface BigFile {
  readonly set: number
  /** 53 bits of the name. */
  readonly key: number
  files: number
  bytes: number
}

export interface LargestFile {
  /** One character per raw byte. */
  readonly path: string
  readonly sizeBytes: number
}

/** Shows a record its place in a split directory: a bucket, or -1 for a file that is big. */
export function bucketOf(view: RecordView, set: number, sets: FileSets, bigBytes: number): number {
  if (view.kindByte === kindBytes.file && workBytes(view) > bigBytes) return -1
  const hash = hashBytes(view.buffer, view.nameStart, view.pathEnd)
  return (sets.offsets[set] ?? 0) + prefix(hash, sets.bits[set] ?? 0)
}

/** The bucket of a hard-link slot in the same set: by identity, so that a group is never split. */
export function bucketOfSlot(slot: number, set: number, sets: FileSets): number {
  return (sets.offsets[set] ?? 0) + (slot >>> (sets.bitsMax - (sets.bits[set] ?? 0)))
}

/** True for a file whose other names have to come along. */
export function isLinked(view: RecordView): boolean {
  return view.links > 1 && view.kindByte === kindBytes.file
}

/** Collects the totals of buckets while the manifest goes by, in any order. */
export class Tally {
  readonly buckets: Totals
  readonly bigFiles: BigFile[] = []
  readonly links: LinkSlots | undefined
  largest: LargestFile | undefined
  private readonly bigFileOf: (Map<number, number> | undefined)[] = []
  readonly cutting: Cut
  /** Totals per directory, less what crosses. */
  readonly own: Totals
  readonly sets: FileSets
  /** Files above this many bytes are units of their own. */
  readonly bigBytes: number

  constructor(cutting: Cut, own: Totals, sets: FileSets, bigBytes: number) {
    this.cutting = cutting
    this.own = own
    this.sets = sets
    this.bigBytes = bigBytes
    this.links = sets.rows.at(-1) === linkedRow ? new LinkSlots(sets.bitsMax) : undefined
    this.buckets = emptyTotals(sets.bucketCount)
    // The entry of a split directory itself goes with the first bucket.
    for (const [set, row] of sets.rows.entries())
      if (row >= 0) this.buckets.directories[sets.offsets[set] ?? 0] = own.directories[row] ?? 0
  }

  /** Counts an entry that stands directly in the directory `row`; an entry of a directory is known already. */
  add(view: RecordView, row: number): void {
    if (view.kindByte === kindBytes.directory || !isWorkFate(view.fateByte)) return
    const unitRow = this.cutting.unitRow[row] ?? 0
    const set = this.sets.setOfRow[unitRow] ?? -1
    if (set >= 0) this.noteLargest(view)
    if (this.links !== undefined && isLinked(view)) {
      this.links.add(view, unitRow, this.own)
      return
    }
    if (set < 0) return
    const bucket = bucketOf(view, set, this.sets, this.bigBytes)
    if (bucket < 0) this.addBigFile(view, set)
    else if (view.kindByte === kindBytes.symlink)
      this.buckets.symlinks[bucket] = (this.buckets.symlinks[bucket] ?? 0) + 1
    else addFiles(this.buckets, bucket, 1, workBytes(view))
  }

  /** Index in `bigFiles`; undefined for a name that was not there during the pass. */
  bigFileIndex(view: RecordView, set: number): number | undefined {
    return this.bigFileOf[set]?.get(wideHash(view.buffer, view.nameStart, view.pathEnd))
  }

  /** After the last record: hard links go into the buckets of their directory, or into those of links that cross. */
  finish(): void {
    const crossingSet = this.sets.rows.length - 1
    this.links?.forEach((slot, unitRow, files, bytes) => {
      const set = unitRow === undefined ? crossingSet : (this.sets.setOfRow[unitRow] ?? -1)
      if (set >= 0) addFiles(this.buckets, bucketOfSlot(slot, set, this.sets), files, bytes)
    })
  }

  private addBigFile(view: RecordView, set: number): void {
    const key = wideHash(view.buffer, view.nameStart, view.pathEnd)
    const known = (this.bigFileOf[set] ??= new Map<number, number>())
    const index = known.get(key) ?? this.bigFiles.length
    known.set(key, index)
    const file = (this.bigFiles[index] ??= { set, key, files: 0, bytes: 0 })
    file.files += 1
    file.bytes += workBytes(view)
  }

  private noteLargest(view: RecordView): void {
    const best = this.largest?.sizeBytes ?? -1
    // What a bucket may hold never outweighs a shard; and equal sizes by the million must not cost a string each.
    const size = workBytes(view)
    if (view.kindByte !== kindBytes.file || size < best || size <= this.bigBytes) return
    const path = view.buffer.toString('latin1', view.pathStart, view.pathEnd)
    if (this.largest === undefined || size > best || path < this.largest.path)
      this.largest = { path, sizeBytes: size }
  }
}
