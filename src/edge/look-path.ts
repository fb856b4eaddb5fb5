/** What stands at one path of a local destination. Runs in the planner and in the threads that look ahead of it. */

import { lstatSync, readlinkSync, statSync, type Stats } from 'node:fs'
import { kindBytes, type RecordView } from '../inventory/entry.ts'
import type { Found } from '../inventory/fates.ts'
import { digestIn } from '../inventory/lsjson.ts'
import { isTooLong } from '../inventory/names.ts'
import { decodeRcloneName } from '../tools/rclone-names.ts'
import { isSystemError } from './files.ts'
import { digestOfTarget } from './link-target.ts'

const whichType = 0o170000
/** Of a mode: permissions, set-id bits and the sticky bit. */
export const permissionBits = 0o7777
const silent = { throwIfNoEntry: false } as const

/** find's letters of the types that `lstat` tells. */
const kindOfType: Readonly<Record<number, number>> = {
  0o100000: kindBytes.file,
  0o040000: kindBytes.directory,
  0o120000: kindBytes.symlink,
}
const special = 0x73

/** find's letter, as a byte, for what `lstat` says of the type. */
export function kindOfMode(mode: number): number {
  return kindOfType[mode & whichType] ?? special
}

/** Directories whose state is kept; a listing stays in few of them for long. */
const FOLDERS_KEPT = 10_000

export interface PathLookOptions {
  /** Absolute path of a directory that exists. */
  readonly root: string
  readonly followLinks: boolean
  /** The source is a remote: its names are rclone's, and stand on the disk as rclone writes them. */
  readonly isRcloneNamed: boolean
  /** The source is one file that gets this name. */
  readonly newName?: string
}

export function emptyFound(): Found {
  return {
    state: 'absent',
    kindByte: 0,
    size: 0,
    hasMtime: false,
    mtimeSeconds: 0,
    sameTarget: false,
    hasAttributes: false,
    mode: 0,
    uid: 0,
    gid: 0,
    links: 0,
  }
}

/**
 * Whole seconds, rounded down. A number of milliseconds has no room for the last 122 nanoseconds of a second and shows
 * the next one: what looks like exactly a second is asked again, unless that is the very second that is expected.
 */
function wholeSeconds(stats: Stats, path: Buffer, expected: number): number {
  const seconds = stats.mtimeMs / 1000
  if (!Number.isInteger(seconds)) return Math.floor(seconds)
  if (seconds === expected) return expected
  const exact = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (exact === undefined) return seconds
  return (
    Number(exact.mtimeNs - (exact.mtimeNs % 1_000_000_000n)) / 1e9 +
    (exact.mtimeNs % 1_000_000_000n < 0n ? -1 : 0)
  )
}

/** The symlink at `path` holds the same bytes as the source's: by their digest on a remote, or as many where that keeps none. */
function readsLike(path: Buffer, size: number, view: RecordView): boolean {
  const isRemote = view.targetEnd === view.targetStart
  const digest = isRemote ? digestIn(view) : 0
  if (isRemote && (size !== view.size || digest === 0)) return size === view.size
  const target = readlinkSync(path, { encoding: 'buffer' })
  if (isRemote) return digestOfTarget(target) === digest
  return target.equals(view.buffer.subarray(view.targetStart, view.targetEnd))
}

/** Looks with one `lstat` each. `found` is one object, filled anew by each call. */
export class PathLook {
  readonly found = emptyFound()
  private readonly folders = new Map<string, boolean>()
  private readonly rootBytes: number
  private readonly path: Buffer
  private readonly stat: (path: Buffer) => Stats | undefined
  private readonly newName: Buffer | undefined
  private readonly isRcloneNamed: boolean

  constructor(options: PathLookOptions) {
    const root = Buffer.from(options.root === '/' ? '/' : `${options.root}/`)
    this.rootBytes = root.length
    // Room for a path that is just not too long yet, with every character of it quoted.
    this.path = Buffer.alloc(root.length + 4 * 4096)
    root.copy(this.path)
    this.isRcloneNamed = options.isRcloneNamed
    this.newName = options.newName === undefined ? undefined : Buffer.from(options.newName)
    this.stat = options.followLinks
      ? (path) => statSync(path, silent) ?? lstatSync(path, silent)
      : (path) => lstatSync(path, silent)
  }

  /** In the place of an entry, whatever its directories are. */
  entry(view: RecordView): Found {
    if (isTooLong(view, this.rootBytes)) this.found.state = 'too-long'
    else this.look(this.pathOf(view), view)
    return this.found
  }

  /** In the place of a directory, as the listing names it, in latin1. */
  directory(listed: string): Found {
    const bytes = Buffer.from(listed, 'latin1')
    const name = this.isRcloneNamed ? decodeRcloneName(bytes) : bytes
    this.look(Buffer.concat([this.path.subarray(0, this.rootBytes), name]), undefined)
    return this.found
  }

  /**
   * Every directory above the entry is one there, so that a look at it goes through no symlink, and is not wasted on
   * what can not be there. Each directory is looked at once.
   */
  isReachable(view: RecordView): boolean {
    if (view.nameStart === view.pathStart) return true
    return this.isFolder(view.buffer.toString('latin1', view.pathStart, view.nameStart - 1))
  }

  private isFolder(listed: string): boolean {
    const known = this.folders.get(listed)
    if (known !== undefined) return known
    const cut = listed.lastIndexOf('/')
    let isFolder = cut < 0 || this.isFolder(listed.slice(0, cut))
    if (isFolder) {
      const { state, kindByte } = this.directory(listed)
      isFolder = state === 'there' && kindByte === kindBytes.directory
    }
    if (this.folders.size >= FOLDERS_KEPT) this.folders.clear()
    this.folders.set(listed, isFolder)
    return isFolder
  }

  private pathOf(view: RecordView): Buffer {
    const { path, rootBytes } = this
    if (this.newName !== undefined) return path.subarray(0, rootBytes + this.newName.copy(path, rootBytes))
    if (this.isRcloneNamed) {
      const name = decodeRcloneName(view.buffer.subarray(view.pathStart, view.pathEnd))
      path.set(name, rootBytes)
      return path.subarray(0, rootBytes + name.length)
    }
    let to = rootBytes
    for (let from = view.pathStart; from < view.pathEnd; from++) path[to++] = view.buffer[from] ?? 0
    return path.subarray(0, to)
  }

  /** Fills `found` from what stands at `path`; `view` tells the symlink to compare with. */
  private look(path: Buffer, view: RecordView | undefined): void {
    const { found } = this
    try {
      const isLink = view?.kindByte === kindBytes.symlink
      const stats = isLink ? lstatSync(path, silent) : this.stat(path)
      if (stats === undefined) {
        found.state = 'absent'
        return
      }
      found.state = 'there'
      found.kindByte = kindOfMode(stats.mode)
      found.size = stats.size
      found.hasMtime = true
      found.mtimeSeconds = view === undefined ? 0 : wholeSeconds(stats, path, view.mtimeSeconds)
      found.hasAttributes = true
      found.mode = stats.mode & permissionBits
      found.uid = stats.uid
      found.gid = stats.gid
      found.links = stats.nlink
      found.sameTarget = isLink && found.kindByte === kindBytes.symlink && readsLike(path, stats.size, view)
    } catch (error) {
      if (!isSystemError(error)) throw error
      found.state = error.code === 'ENAMETOOLONG' ? 'too-long' : 'cannot-look'
    }
  }
}
