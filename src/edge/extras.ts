/** What a destination has and its source has not: found by two sorted lists, so that memory grows with directories alone. */

import path from 'node:path'
import { failWith, ok, type Result } from '../diagnostic.ts'
import { fateBytes, kindBytes, type RecordView } from '../inventory/entry.ts'
import { namesAreBytes } from '../plan/plan.ts'
import { linkFileName } from '../tools/rclone-links.ts'
import { placeText } from '../tools/rclone-place.ts'
import { systemReason } from './files.ts'
import { KEPT, listDestination, type DestinationListing } from './list-extras.ts'
import { scanManifest } from './manifest-file.ts'
import { ListFiles, WriteFault, type ListFile } from './shard-files.ts'
import { fieldFrom, SortedRecords } from './sorted-records.ts'

export interface ExtrasRequest extends DestinationListing {
  readonly manifestPath: string
  /** Where the list goes. Its folder exists, and takes what sort can not keep in memory. */
  readonly listPath: string
  /** The destination's name for a path of the manifest; absent: the same bytes. */
  readonly destinationName?: (path: Uint8Array) => Uint8Array
  /** A symlink of the source is to be a file `NAME.rclonelink` at the destination. */
  readonly keepsLinks: boolean
  /** A directory of the source may be a symlink at the destination, so that what is found below it is in no listing. */
  readonly followLinks: boolean
}

/** `bytes` are those of the files. `others` are special files. */
export interface ExtrasTally {
  files: number
  directories: number
  symlinks: number
  others: number
  bytes: number
}

export interface Extras extends Readonly<ExtrasTally> {
  /** Entries at the destination that the filter lets through. */
  readonly entries: number
  /**
   * Records `KIND SIZE MTIME ./PATH`, NUL-terminated, in the order in which they go: all but directories by name, then
   * directories, deepest first. A directory has `-` for size and time: it goes when it is empty.
   */
  readonly listPath: string
}

const separator = Buffer.from(' ')

/**
 * Lists the destination and compares it with the manifest. An entry is an extra when no entry of the source has its
 * name, in whatever form; when the filter takes it, whatever it is; when it is not soxplan's own; when it does not stand
 * below what is no directory at the source; and, if it is a directory, when nothing in it is kept.
 *
 * Fails as `listDestination`, SX354 when sorting fails, SX358 when the destination shows names otherwise than it takes
 * them, SX621 when the list can not be written, SX322 for the manifest.
 */
export async function findExtras(request: ExtrasRequest): Promise<Result<Extras>> {
  const { signal, env, listPath } = request
  const sorting = { folder: path.dirname(listPath), path: env['PATH'], signal }
  const [names, there] = [
    new SortedRecords({ ...sorting, fromField: 2 }),
    new SortedRecords({ ...sorting, fromField: 4 }),
  ]
  const files = new ListFiles(1)
  try {
    const listed = await listDestination(request, there)
    if (!listed.ok) return listed
    there.end()
    const read = await readNames(request, names)
    if (!read.ok) return read
    const collector = new ExtrasList(
      files.create(listPath),
      listed.value.keptFolders,
      namesAreBytes(request.root),
    )
    const strange = await compare(names, there, collector)
    signal.throwIfAborted()
    for (const sorted of [names, there]) {
      const checked = await sorted.check()
      if (!checked.ok) return checked
    }
    if (strange && !request.followLinks) return namesChange(request)
    collector.addDirectories()
    await files.close()
    return ok({ ...collector.tally, entries: listed.value.entries, listPath })
  } catch (error) {
    files.discard()
    signal.throwIfAborted()
    if (!(error instanceof WriteFault)) throw error
    return failWith(
      'SX621',
      `cannot write the list of what is to be deleted, ${listPath}: ${systemReason(error)}`,
      'Make room or name another folder with --state DIR, then plan again.',
    )
  } finally {
    await Promise.all([names.close(), there.close()])
  }
}

/** A record `FATE KIND PATH`, the first two in one field, for every entry of the source. */
async function readNames(request: ExtrasRequest, names: SortedRecords): Promise<Result<unknown>> {
  const { manifestPath, signal, destinationName, root, keepsLinks } = request
  const onRecord = (view: RecordView): void => {
    const listed = view.buffer.subarray(view.pathStart, view.pathEnd)
    const name = destinationName === undefined ? listed : destinationName(listed)
    const kind = Uint8Array.of(view.fateByte, view.kindByte)
    const isLinkAway = view.kindByte === kindBytes.symlink && !namesAreBytes(root)
    if (isLinkAway && keepsLinks) {
      // What stands under the link's own name would take its place when it comes back.
      names.add(kind, separator, linkFileName(name))
      return
    }
    names.add(kind, separator, name)
    // A remote may hold a symlink as a file of that name.
    if (isLinkAway) names.add(Uint8Array.of(fateBytes.skipped, view.kindByte), separator, linkFileName(name))
  }
  const read = await scanManifest(manifestPath, onRecord, {
    stop: signal,
    afterBlock: () => names.pressure(),
  })
  names.end()
  return read
}

/** Merges both lists. True when something that was found at the destination stands in no listing of it. */
async function compare(names: SortedRecords, there: SortedRecords, list: ExtrasList): Promise<boolean> {
  let isStrange = false
  let name = await names.next()
  let isMatched = false
  const toNextName = async (): Promise<void> => {
    if (name !== undefined && !isMatched && wasFound(name[0])) isStrange = true
    name = await names.next()
    isMatched = false
  }
  for (let record = await there.next(); record !== undefined; record = await there.next()) {
    const at = fieldFrom(record, 4)
    let order = -1
    while (name !== undefined && (order = Buffer.compare(fieldFrom(name, 2), at)) < 0) await toNextName()
    if (name === undefined || order > 0) {
      list.add(record, at)
      continue
    }
    isMatched = true
    if (record[0] === kindBytes.directory && name[1] !== kindBytes.directory) list.keepBelow(at)
  }
  while (name !== undefined) await toNextName()
  return isStrange
}

/** The survey saw the entry at the destination. */
function wasFound(fateByte: number | undefined): boolean {
  return [fateBytes.same, fateBytes.changed, fateBytes.check].some((byte) => byte === fateByte)
}

function namesChange({ root }: ExtrasRequest): ReturnType<typeof failWith> {
  return failWith(
    'SX358',
    `the destination ${placeText(root)} shows names otherwise than it takes them`,
    'Plan again; if it stays so, write `mode: copy` and delete by hand.',
    'A file of the source was found there, but stands in no listing under its name: so a file that looks too much may be one of the source.',
  )
}

const kept = KEPT.charCodeAt(0)

/** Writes the list, and counts. */
class ExtrasList {
  readonly tally: ExtrasTally = { files: 0, directories: 0, symlinks: 0, others: 0, bytes: 0 }
  /** Directories that are none at the source. */
  private readonly blocked = new Set<string>()
  private readonly directories: string[] = []
  private readonly file: ListFile
  private readonly keptFolders: ReadonlySet<string>
  private readonly hasDirectories: boolean

  constructor(file: ListFile, keptFolders: ReadonlySet<string>, hasDirectories: boolean) {
    this.file = file
    this.keptFolders = keptFolders
    this.hasDirectories = hasDirectories
  }

  /** Directories come before what stands in them. */
  add(record: Buffer, at: Buffer): void {
    if (record[0] === kept) return
    const isDirectory = record[0] === kindBytes.directory
    if (isDirectory && !this.hasDirectories) return
    if (this.blocked.size > 0 && this.isBlocked(at.toString('latin1'))) return
    if (isDirectory) {
      this.directories.push(at.toString('latin1'))
      return
    }
    this.count(record)
    this.write(record.subarray(0, record.length - at.length), at)
  }

  keepBelow(directory: Buffer): void {
    this.blocked.add(directory.toString('latin1'))
  }

  /** Children before their parents: a name that stands below another comes behind it in the order of bytes. */
  addDirectories(): void {
    const prefix = Buffer.from('d - - ')
    for (const directory of this.directories.reverse()) {
      if (this.keptFolders.has(directory)) continue
      this.tally.directories++
      this.write(prefix, Buffer.from(directory, 'latin1'))
    }
  }

  private isBlocked(at: string): boolean {
    for (let cut = at.lastIndexOf('/'); cut > 0; cut = at.lastIndexOf('/', cut - 1))
      if (this.blocked.has(at.slice(0, cut))) return true
    return false
  }

  private count(record: Buffer): void {
    const { tally } = this
    if (record[0] === kindBytes.symlink) tally.symlinks++
    else if (record[0] !== kindBytes.file) tally.others++
    else {
      tally.files++
      tally.bytes += Number(record.toString('latin1', 2, record.indexOf(0x20, 2)))
    }
  }

  private write(fields: Buffer, at: Buffer): void {
    const { file } = this
    file.reserve(fields.length + at.length + 3)
    for (const part of [fields, dotSlash, at, nul]) file.at += part.copy(file.buffer, file.at)
  }
}

const dotSlash = Buffer.from('./')
const nul = Buffer.from([0])
