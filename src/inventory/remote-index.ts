/** What a destination elsewhere holds, small enough to keep: no names, only hashes of them. */

import { kindBytes } from './entry.ts'
import type { RecordView } from './entry.ts'

/** A hash table of a listing: path to kind, size and mtime. */
export interface RemoteIndex {
  readonly count: number
  add(view: RecordView): void
  /** Looks for `buffer[start..end)` with `suffix` behind it. Returns a slot, or -1. */
  find(buffer: Uint8Array, start: number, end: number, suffix?: Uint8Array): number
  kindByte(slot: number): number
  /** The symlink in this slot leads to these bytes, by their hash. */
  leadsTo(slot: number, buffer: Uint8Array, start: number, end: number): boolean
  size(slot: number): number
  hasMtime(slot: number): boolean
  mtimeSeconds(slot: number): number
}

const nothing = new Uint8Array(0)

/** Stored instead of a size, and of a time. */
const DIRECTORY = -1
const SYMLINK = -2
const SPECIAL = -3
/** find's letter for what is none of the others. */
const special = 0x73
const NO_MTIME = Number.NEGATIVE_INFINITY

/** Slots are doubled when more than this part of them is taken. */
const FULL = 0.75

/** Two 32-bit hashes of the bytes, walked together: FNV-1a, and a rotating multiply. */
class PathHash {
  low = 0
  high = 0

  of(buffer: Uint8Array, start: number, end: number, suffix: Uint8Array): void {
    this.low = 0x811c9dc5 | 0
    this.high = 0x9747b28c | 0
    this.mix(buffer, start, end)
    this.mix(suffix, 0, suffix.length)
    this.low = avalanche(this.low)
    // A slot whose `high` is 0 is empty.
    this.high = avalanche(this.high) || 1
  }

  private mix(buffer: Uint8Array, start: number, end: number): void {
    let low = this.low
    let high = this.high
    for (let at = start; at < end; at++) {
      const byte = buffer[at] ?? 0
      low = Math.imul(low ^ byte, 0x01000193)
      high = Math.imul(((high << 13) | (high >>> 19)) ^ byte, 0xcc9e2d51 | 0) + 0x6b64
    }
    this.low = low
    this.high = high | 0
  }
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b | 0)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35 | 0)
  return mixed ^ (mixed >>> 16)
}

function sizeOrKind({ kindByte, size }: RecordView): number {
  if (kindByte === kindBytes.file) return size
  if (kindByte === kindBytes.directory) return DIRECTORY
  return kindByte === kindBytes.symlink ? SYMLINK : SPECIAL
}

function kindOf(size: number): number {
  if (size >= 0) return kindBytes.file
  if (size === DIRECTORY) return kindBytes.directory
  return size === SYMLINK ? kindBytes.symlink : special
}

/**
 * An empty index. 24 bytes a slot, 32 to 64 an entry as the table fills and doubles. Paths are told apart by 64
 * bits: among a hundred million of them the chance that any two are confused is about 1 in 3,700, and it takes the
 * same size (and time) as well to take one for the other.
 */
export function createRemoteIndex(): RemoteIndex {
  const hash = new PathHash()
  let lows = new Int32Array(1024)
  let highs = new Int32Array(1024)
  let sizes = new Float64Array(1024)
  let mtimes = new Float64Array(1024)
  let count = 0

  /** 53 bits, which a symlink keeps in the place of its time. */
  const targetHash = (buffer: Uint8Array, start: number, end: number): number => {
    hash.of(buffer, start, end, nothing)
    return (hash.high >>> 11) * 2 ** 32 + (hash.low >>> 0)
  }
  const probe = (low: number, high: number): number => {
    const mask = highs.length - 1
    let slot = (low ^ (high >>> 7)) & mask
    while (highs[slot] !== 0 && (highs[slot] !== high || lows[slot] !== low)) slot = (slot + 1) & mask
    return slot
  }
  const grow = (): void => {
    const old = { lows, highs, sizes, mtimes }
    const length = old.highs.length * 2
    lows = new Int32Array(length)
    highs = new Int32Array(length)
    sizes = new Float64Array(length)
    mtimes = new Float64Array(length)
    for (let from = 0; from < old.highs.length; from++) {
      const high = old.highs[from] ?? 0
      if (high === 0) continue
      const low = old.lows[from] ?? 0
      const to = probe(low, high)
      lows[to] = low
      highs[to] = high
      sizes[to] = old.sizes[from] ?? 0
      mtimes[to] = old.mtimes[from] ?? 0
    }
  }
  return {
    get count() {
      return count
    },
    add(view) {
      if (count > highs.length * FULL) grow()
      hash.of(view.buffer, view.pathStart, view.pathEnd, nothing)
      const slot = probe(hash.low, hash.high)
      if (highs[slot] === 0) count++
      lows[slot] = hash.low
      highs[slot] = hash.high
      sizes[slot] = sizeOrKind(view)
      if (view.kindByte === kindBytes.symlink)
        mtimes[slot] = targetHash(view.buffer, view.targetStart, view.targetEnd)
      else mtimes[slot] = view.hasMtime ? view.mtimeSeconds : NO_MTIME
    },
    find(buffer, start, end, suffix = nothing) {
      hash.of(buffer, start, end, suffix)
      const slot = probe(hash.low, hash.high)
      return highs[slot] === 0 ? -1 : slot
    },
    kindByte: (slot) => kindOf(sizes[slot] ?? 0),
    leadsTo: (slot, buffer, start, end) =>
      sizes[slot] === SYMLINK && mtimes[slot] === targetHash(buffer, start, end),
    size: (slot) => Math.max(0, sizes[slot] ?? 0),
    hasMtime: (slot) => mtimes[slot] !== NO_MTIME,
    mtimeSeconds: (slot) => mtimes[slot] ?? 0,
  }
}
