/** Folds a stream of records into one row per directory; nothing in here grows with the number of files. */

import { isWorkFate, kindBytes, workBytes, type RecordView } from './entry.ts'
import type { DirectoryTree } from './tree.ts'

/** A `DirectoryTree` that is being built. Rows are made on demand, in whatever order the records come. */
export interface TreeBuilder extends DirectoryTree {
  /** Row of the directory that the entry stands in. */
  parentRow(view: RecordView): number
  /** Row of the directory that the entry, itself a directory, is. */
  ownRow(view: RecordView): number
  /** The path is known as a directory's, by its own entry or by one below it. */
  has(view: RecordView): boolean
  /** Counts the entry where its fate makes it work. */
  add(view: RecordView, fateByte: number): void
  /** A note of the caller's about a row, 0..127; 0 until set. The compare keeps there what stands at the destination. */
  mark(row: number): number
  setMark(row: number, mark: number): void
}

/** Bits of `flags`. */
const workBit = 1
const occupiedBit = 2

/** Typed columns, doubled when full: 42 bytes a row beside its path. */
class Rows {
  count = 0
  parents = new Int32Array(64)
  files = new Float64Array(64)
  bytes = new Float64Array(64)
  links = new Float64Array(64)
  largest = new Float64Array(64)
  flags = new Uint8Array(64)
  marks = new Uint8Array(64)
  readonly paths: string[] = []

  append(path: string, parent: number): number {
    if (this.count === this.parents.length) this.grow()
    const row = this.count++
    this.paths.push(path)
    this.parents[row] = parent
    return row
  }

  private grow(): void {
    const length = this.count * 2
    const floats = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(length)
      grown.set(old)
      return grown
    }
    const parents = new Int32Array(length)
    parents.set(this.parents)
    const octets = (old: Uint8Array): Uint8Array<ArrayBuffer> => {
      const grown = new Uint8Array(length)
      grown.set(old)
      return grown
    }
    this.parents = parents
    this.flags = octets(this.flags)
    this.marks = octets(this.marks)
    this.files = floats(this.files)
    this.bytes = floats(this.bytes)
    this.links = floats(this.links)
    this.largest = floats(this.largest)
  }
}

/** Finds rows by path. A listing stays in one directory for long, so the last one is kept as bytes. */
class RowIndex {
  private readonly rowOfPath = new Map<string, number>([['', 0]])
  private last: Uint8Array = new Uint8Array(0)
  private lastRow = 0
  private readonly rows: Rows

  constructor(rows: Rows) {
    this.rows = rows
    rows.append('', -1)
  }

  find(buffer: Buffer, start: number, end: number): number {
    if (this.isLast(buffer, start, end)) return this.lastRow
    const row = this.rowOf(buffer.toString('latin1', start, end))
    this.last = Uint8Array.prototype.slice.call(buffer, start, end)
    this.lastRow = row
    return row
  }

  has(path: string): boolean {
    return this.rowOfPath.has(path)
  }

  private isLast(buffer: Buffer, start: number, end: number): boolean {
    const last = this.last
    if (last.length !== end - start) return false
    // From the end, where sibling directories differ.
    for (let back = last.length - 1; back >= 0; back--) if (last[back] !== buffer[start + back]) return false
    return true
  }

  private rowOf(path: string): number {
    const known = this.rowOfPath.get(path)
    if (known !== undefined) return known
    // Parents first. A loop, since a path may have thousands of levels.
    const missing = [path]
    let parent = 0
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      const ancestor = path.slice(0, cut)
      const row = this.rowOfPath.get(ancestor)
      if (row !== undefined) {
        parent = row
        break
      }
      missing.push(ancestor)
    }
    for (const name of missing.reverse()) {
      parent = this.rows.append(name, parent)
      this.rowOfPath.set(name, parent)
    }
    return parent
  }
}

/** An empty tree: row 0 is the source itself. */
export function createTree(): TreeBuilder {
  const rows = new Rows()
  const index = new RowIndex(rows)
  let hasHardLinks = false

  const parentRow = (view: RecordView): number =>
    view.nameStart === view.pathStart ? 0 : index.find(view.buffer, view.pathStart, view.nameStart - 1)
  const ownRow = (view: RecordView): number => index.find(view.buffer, view.pathStart, view.pathEnd)
  const occupy = (row: number): void => {
    for (let at = row; at >= 0 && ((rows.flags[at] ?? 0) & occupiedBit) === 0; at = rows.parents[at] ?? -1)
      setFlags(at, occupiedBit)
  }
  const setFlags = (row: number, bits: number): void => {
    rows.flags[row] = (rows.flags[row] ?? 0) | bits
  }
  return {
    get count() {
      return rows.count
    },
    get hasHardLinks() {
      return hasHardLinks
    },
    parent: (row) => rows.parents[row] ?? -1,
    path: (row) => rows.paths[row] ?? '',
    ownFiles: (row) => rows.files[row] ?? 0,
    ownBytes: (row) => rows.bytes[row] ?? 0,
    ownLinks: (row) => rows.links[row] ?? 0,
    ownLargestBytes: (row) => rows.largest[row] ?? 0,
    isWork: (row) => ((rows.flags[row] ?? 0) & workBit) !== 0,
    parentRow,
    ownRow,
    has: (view) => index.has(view.buffer.toString('latin1', view.pathStart, view.pathEnd)),
    mark: (row) => rows.marks[row] ?? 0,
    setMark: (row, mark) => {
      rows.marks[row] = mark
    },
    isOccupied: (row) => ((rows.flags[row] ?? 0) & occupiedBit) !== 0,
    add(view, fateByte) {
      const isWork = isWorkFate(fateByte)
      if (view.kindByte === kindBytes.directory) {
        const row = ownRow(view)
        occupy(rows.parents[row] ?? -1)
        if (isWork) setFlags(row, workBit)
        return
      }
      const row = parentRow(view)
      occupy(row)
      if (!isWork) return
      if (view.links > 1) hasHardLinks = true
      if (view.kindByte === kindBytes.symlink) rows.links[row] = (rows.links[row] ?? 0) + 1
      else {
        rows.files[row] = (rows.files[row] ?? 0) + 1
        const bytes = workBytes(view, fateByte)
        rows.bytes[row] = (rows.bytes[row] ?? 0) + bytes
        if (bytes > (rows.largest[row] ?? 0)) rows.largest[row] = bytes
      }
    },
  }
}
