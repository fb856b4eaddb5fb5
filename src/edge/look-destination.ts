/** Looks at a destination, one name of the source's at a time. However much else lies there is never seen. */

import { kindBytes, type RecordView } from '../inventory/entry.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import type { Found } from '../inventory/fates.ts'
import type { RemoteIndex } from '../inventory/remote-index.ts'
import { linkFileName, linkSuffix } from '../tools/rclone-links.ts'
import { encodeRcloneName } from '../tools/rclone-names.ts'
import type { LinkDigests } from './link-digests.ts'
import { digestOfTarget } from './link-target.ts'
import { looksAtOnce, ThreadsAhead } from './look-ahead.ts'
import { readAnswer, type Ahead, type Answers } from './look-answers.ts'
import { emptyFound, PathLook, type PathLookOptions } from './look-path.ts'
import { StatAhead } from './look-stat.ts'

/** What stands at the destination, per directory of the source: the marks of the tree's rows. */
const mark = { unknown: 0, directory: 1, absent: 2, link: 3, file: 4, dark: 5 } as const

/** What there is to say below a directory that is none. */
const belowMark: Readonly<Record<number, Found['state']>> = {
  [mark.absent]: 'absent',
  [mark.link]: 'link-in-path',
  [mark.file]: 'file-in-path',
}

export interface DestinationLook {
  /** What stands in the entry's place. One object, filled anew by each call. */
  find(view: RecordView): Found
  /** There where each look asks a disk. */
  readonly slow?: SlowLook
}

/** Blocks of records can be looked at ahead of `find`, many at once. */
export interface SlowLook {
  /** The block holds whole records of the listing. Undefined: nobody can look ahead on this machine. */
  ask(block: Buffer): Promise<Answers> | undefined
  /** Somebody waits for what was asked. */
  flush(): void
  /** From now on `find` takes its answers from here: `next` moves to the next record of the block. Absent: it looks itself. */
  use(answers: Answers | undefined): void
  next(): void
  /** Ends what was started for `ask`. */
  close(): Promise<void>
}

/** Directories on the way of entries: each is looked at once, from the top down, so that no look goes through a symlink. */
class Folders {
  private readonly tree: TreeBuilder
  private readonly look: (listed: string) => Found

  constructor(tree: TreeBuilder, look: (listed: string) => Found) {
    this.tree = tree
    this.look = look
  }

  /** What there is to say of an entry because of what stands above it; undefined where directories lead to it. */
  stateBelow(view: RecordView): Found['state'] | undefined {
    const above = this.markOf(this.tree.parentRow(view))
    return above === mark.directory ? undefined : (belowMark[above] ?? 'cannot-look')
  }

  /** A directory's own entry was looked at. */
  note(view: RecordView, found: Found): void {
    if (view.kindByte === kindBytes.directory) this.tree.setMark(this.tree.ownRow(view), markOf(found))
  }

  private markOf(row: number): number {
    const { tree } = this
    const way: number[] = []
    for (let at = row; at > 0 && tree.mark(at) === mark.unknown; at = tree.parent(at)) way.push(at)
    for (const at of way.reverse()) {
      const above = tree.parent(at) <= 0 ? mark.directory : tree.mark(tree.parent(at))
      tree.setMark(at, above === mark.directory ? markOf(this.look(tree.path(at))) : above)
    }
    return row === 0 ? mark.directory : tree.mark(row)
  }
}

class LocalLook implements DestinationLook, SlowLook {
  readonly slow = this
  private readonly found = emptyFound()
  private readonly folders: Folders
  private readonly path: PathLook
  private readonly options: Omit<LookOptions, 'tree'>
  private ahead: Ahead | undefined
  /** How long each of the first looks took. */
  private readonly lookMicros: number[] = []
  private answers: Answers | undefined
  private record = -1

  constructor({ tree, ...options }: LookOptions) {
    this.path = new PathLook(options)
    this.folders = new Folders(tree, (listed) => this.path.directory(listed))
    this.options = options
  }

  find(view: RecordView): Found {
    const { found } = this
    const state = this.folders.stateBelow(view)
    if (state !== undefined) {
      found.state = state
      return found
    }
    if (this.answers === undefined || !readAnswer(this.answers, this.record, found)) this.lookHere(view)
    this.folders.note(view, found)
    return found
  }

  ask(block: Buffer): Promise<Answers> | undefined {
    this.ahead ??= this.startAhead()
    return this.ahead.canLook ? this.ahead.ask(block) : undefined
  }

  /** Over a network many threads wait at once, and an absent name must not be waited for here once more. */
  private startAhead(): Ahead {
    const { isRcloneNamed, newName } = this.options
    const atOnce = looksAtOnce(this.lookMicros)
    return atOnce === 1 && !isRcloneNamed && newName === undefined
      ? new StatAhead(this.options)
      : new ThreadsAhead(this.options, atOnce)
  }

  flush(): void {
    this.ahead?.flush()
  }

  use(answers: Answers | undefined): void {
    this.answers = answers
    this.record = -1
  }

  next(): void {
    this.record++
  }

  async close(): Promise<void> {
    await this.ahead?.close()
  }

  private lookHere(view: RecordView): void {
    const since = performance.now()
    Object.assign(this.found, this.path.entry(view))
    if (this.ahead === undefined) this.lookMicros.push((performance.now() - since) * 1000)
  }
}

function markOf({ state, kindByte }: Found): number {
  if (state === 'absent') return mark.absent
  if (state !== 'there') return mark.dark
  if (kindByte === kindBytes.directory) return mark.directory
  return kindByte === kindBytes.symlink ? mark.link : mark.file
}

export interface LookOptions extends PathLookOptions {
  readonly tree: TreeBuilder
  /** Of programs that look: PATH. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Looks with one `lstat` per entry, and none is believed below a directory that is not there. Without `ask` all in this
 * thread, where the error of each name is known.
 */
export function lookAtLocal(options: LookOptions): DestinationLook {
  return new LocalLook(options)
}

/** Looks into the listing of a server, which has directories, symlinks and raw names like a disk. */
export function lookAtServer(index: RemoteIndex, tree: TreeBuilder, newNameText?: string): DestinationLook {
  const found = emptyFound()
  const fill = (slot: number): Found => {
    found.state = slot < 0 ? 'absent' : 'there'
    if (slot < 0) return found
    found.kindByte = index.kindByte(slot)
    found.size = index.size(slot)
    found.hasMtime = index.hasMtime(slot)
    found.mtimeSeconds = index.mtimeSeconds(slot)
    found.sameTarget = false
    return found
  }
  const newName = newNameText === undefined ? undefined : Buffer.from(newNameText)
  const folders = new Folders(tree, (listed) => {
    const name = Buffer.from(listed, 'latin1')
    return fill(index.find(name, 0, name.length))
  })
  return {
    find(view) {
      const state = folders.stateBelow(view)
      if (state !== undefined) {
        found.state = state
        return found
      }
      const { buffer, pathStart, pathEnd, targetStart, targetEnd } = view
      const slot =
        newName === undefined
          ? index.find(buffer, pathStart, pathEnd)
          : index.find(newName, 0, newName.length)
      fill(slot)
      if (slot >= 0 && view.kindByte === kindBytes.symlink)
        found.sameTarget = index.leadsTo(slot, buffer, targetStart, targetEnd)
      folders.note(view, found)
      return found
    },
  }
}

/** Looks into the listing of a remote destination. A kept symlink lies there as a file `NAME.rclonelink` that holds its target. */
export function lookAtRemote(
  index: RemoteIndex,
  options: { readonly isRcloneNamed: boolean; readonly newName?: string; readonly digests: LinkDigests },
): DestinationLook {
  const found = emptyFound()
  const renamed = options.newName === undefined ? undefined : encodeRcloneName(Buffer.from(options.newName))
  const nameOf = (view: RecordView): Uint8Array => {
    if (renamed !== undefined) return renamed
    const listed = view.buffer.subarray(view.pathStart, view.pathEnd)
    return options.isRcloneNamed ? listed : encodeRcloneName(listed)
  }
  return {
    find(view) {
      const isLink = view.kindByte === kindBytes.symlink
      const name = nameOf(view)
      const slot = index.find(name, 0, name.length, isLink ? linkSuffix : undefined)
      found.state = slot < 0 ? 'absent' : 'there'
      if (slot < 0) return found
      found.kindByte = isLink ? kindBytes.symlink : index.kindByte(slot)
      found.size = index.size(slot)
      found.hasMtime = index.hasMtime(slot)
      found.mtimeSeconds = index.mtimeSeconds(slot)
      found.sameTarget =
        isLink && found.size === view.targetEnd - view.targetStart && leadsThere(name, view, options.digests)
      return found
    },
  }
}

/** A symlink on a remote, there under `name`, leads where the source's does, as far as the remote tells. */
function leadsThere(name: Uint8Array, view: RecordView, digests: LinkDigests): boolean {
  const digest = digests.of.get(Buffer.from(linkFileName(name)).toString())
  return (
    digest === undefined || digest === digestOfTarget(view.buffer.subarray(view.targetStart, view.targetEnd))
  )
}

/** A destination that holds nothing: every entry is new, and no look is spent on it. */
export function lookAtNothing(): DestinationLook {
  const found = emptyFound()
  return { find: () => found }
}
