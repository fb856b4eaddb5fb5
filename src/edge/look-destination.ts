/** Looks at a local destination, one name of the source's at a time. However much else lies there is never seen. */

import { lstatSync, readlinkSync, statSync, type Stats } from 'node:fs'
import { kindBytes, type RecordView } from '../inventory/entry.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import type { Found } from '../inventory/fates.ts'
import { isTooLong } from '../inventory/names.ts'
import type { RemoteIndex } from '../inventory/remote-index.ts'
import { decodeRcloneName, encodeRcloneName } from '../tools/rclone-names.ts'
import { isErrno } from './files.ts'

/** What stands at the destination, per directory of the source: the marks of the tree's rows. */
const mark = { unknown: 0, directory: 1, absent: 2, link: 3, file: 4, dark: 5 } as const

const whichType = 0o170000
const silent = { throwIfNoEntry: false } as const

/** find's letters of the types that `lstat` tells. */
const kindOfType: Readonly<Record<number, number>> = {
  0o100000: kindBytes.file,
  0o040000: kindBytes.directory,
  0o120000: kindBytes.symlink,
}
const special = 0x73

export interface DestinationLook {
  /** Each look asks a disk. */
  readonly isSlow: boolean
  /** What stands in the entry's place. One object, filled anew by each call. */
  find(view: RecordView): Found
}

export function emptyFound(): Found {
  return { state: 'absent', kindByte: 0, size: 0, hasMtime: false, mtimeSeconds: 0, sameTarget: false }
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

class LocalLook implements DestinationLook {
  readonly isSlow = true
  private readonly found = emptyFound()
  private readonly rootBytes: number
  private readonly path: Buffer
  private readonly tree: TreeBuilder
  private readonly stat: (path: Buffer) => Stats | undefined
  private readonly newName: Buffer | undefined
  private readonly isRcloneNamed: boolean

  constructor(options: LookOptions) {
    const root = Buffer.from(options.root === '/' ? '/' : `${options.root}/`)
    this.rootBytes = root.length
    // Room for a path that is just not too long yet, with every character of it quoted.
    this.path = Buffer.alloc(root.length + 4 * 4096)
    root.copy(this.path)
    this.tree = options.tree
    this.isRcloneNamed = options.isRcloneNamed
    this.newName = options.newName === undefined ? undefined : Buffer.from(options.newName)
    this.stat = options.followLinks
      ? (path) => statSync(path, silent) ?? lstatSync(path, silent)
      : (path) => lstatSync(path, silent)
  }

  find(view: RecordView): Found {
    const { found } = this
    const above = this.markOf(this.tree.parentRow(view))
    if (above !== mark.directory) {
      found.state =
        above === mark.absent
          ? 'absent'
          : above === mark.link
            ? 'link-in-path'
            : above === mark.file
              ? 'file-in-path'
              : 'cannot-look'
      return found
    }
    if (isTooLong(view, this.rootBytes)) {
      found.state = 'too-long'
      return found
    }
    this.look(this.pathOf(view), view)
    if (view.kindByte === kindBytes.directory) this.tree.setMark(this.tree.ownRow(view), this.markOfFound())
    return found
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
      found.kindByte = kindOfType[stats.mode & whichType] ?? special
      found.size = stats.size
      found.hasMtime = true
      found.mtimeSeconds =
        view?.kindByte === kindBytes.file ? wholeSeconds(stats, path, view.mtimeSeconds) : 0
      found.sameTarget = isLink && found.kindByte === kindBytes.symlink && readsLike(path, view)
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'EIO', 'ESTALE', 'ENAMETOOLONG')) throw error
      found.state = error.code === 'ENAMETOOLONG' ? 'too-long' : 'cannot-look'
    }
  }

  private markOfFound(): number {
    const { state, kindByte } = this.found
    if (state === 'absent') return mark.absent
    if (state !== 'there') return mark.dark
    if (kindByte === kindBytes.directory) return mark.directory
    return kindByte === kindBytes.symlink ? mark.link : mark.file
  }

  /** What stands in a directory's place: looked at once, from the top down, so that no look goes through a symlink. */
  private markOf(row: number): number {
    const { tree } = this
    const way: number[] = []
    for (let at = row; at > 0 && tree.mark(at) === mark.unknown; at = tree.parent(at)) way.push(at)
    for (const at of way.reverse()) {
      const above = tree.parent(at) <= 0 ? mark.directory : tree.mark(tree.parent(at))
      if (above !== mark.directory) {
        tree.setMark(at, above)
        continue
      }
      const listed = Buffer.from(tree.path(at), 'latin1')
      const name = this.isRcloneNamed ? decodeRcloneName(listed) : listed
      this.look(Buffer.concat([this.path.subarray(0, this.rootBytes), name]), undefined)
      tree.setMark(at, this.markOfFound())
    }
    return row === 0 ? mark.directory : tree.mark(row)
  }
}

/** The symlink at `path` holds the same bytes as the source's. */
function readsLike(path: Buffer, view: RecordView): boolean {
  const target = readlinkSync(path, { encoding: 'buffer' })
  return target.equals(view.buffer.subarray(view.targetStart, view.targetEnd))
}

export interface LookOptions {
  /** Absolute path of a directory that exists. */
  readonly root: string
  readonly tree: TreeBuilder
  readonly followLinks: boolean
  /** The source is a remote: its names are rclone's, and stand on the disk as rclone writes them. */
  readonly isRcloneNamed: boolean
  /** The source is one file that gets this name. */
  readonly newName?: string
}

/**
 * Looks with one `lstat` per entry, and none below a directory that is not there. In this process, because it is the
 * quickest way there is: for 200,000 files 0.56 s, as much as `xargs stat` takes beside us and less than
 * `xargs find` (0.9 s), without replies to match, and the error of each name is known.
 */
export function lookAtLocal(options: LookOptions): DestinationLook {
  return new LocalLook(options)
}

const rclonelink = Buffer.from('.rclonelink')

/** Looks into the listing of a remote destination. A kept symlink lies there as a file `NAME.rclonelink` that holds its target. */
export function lookAtRemote(
  index: RemoteIndex,
  options: { readonly isRcloneNamed: boolean; readonly newName?: string },
): DestinationLook {
  const found = emptyFound()
  const renamed = options.newName === undefined ? undefined : encodeRcloneName(Buffer.from(options.newName))
  const nameOf = (view: RecordView): Uint8Array => {
    if (renamed !== undefined) return renamed
    const listed = view.buffer.subarray(view.pathStart, view.pathEnd)
    return options.isRcloneNamed ? listed : encodeRcloneName(listed)
  }
  return {
    isSlow: false,
    find(view) {
      const isLink = view.kindByte === kindBytes.symlink
      const name = nameOf(view)
      const slot = index.find(name, 0, name.length, isLink ? rclonelink : undefined)
      found.state = slot < 0 ? 'absent' : 'there'
      if (slot < 0) return found
      found.kindByte = isLink ? kindBytes.symlink : index.kindByte(slot)
      found.size = index.size(slot)
      found.hasMtime = index.hasMtime(slot)
      found.mtimeSeconds = index.mtimeSeconds(slot)
      found.sameTarget = isLink && found.size === view.targetEnd - view.targetStart
      return found
    },
  }
}

/** A destination that holds nothing: every entry is new, and no look is spent on it. */
export function lookAtNothing(): DestinationLook {
  const found = emptyFound()
  return { isSlow: false, find: () => found }
}
