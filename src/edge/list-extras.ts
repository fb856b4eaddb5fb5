/** Lists a destination for a mirror: every entry in a form that can be sorted, and which folders have something to keep. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import { kindBytes, type RecordView } from '../inventory/entry.ts'
import type { PathFilter } from '../inventory/filter.ts'
import { hasImpossibleSegment } from '../inventory/names.ts'
import { isOwnLockName } from '../inventory/own-lock.ts'
import { createScanner } from '../inventory/scan.ts'
import { pathText } from '../inventory/summary.ts'
import { namesAreBytes, type Location } from '../plan/plan.ts'
import { PARTIAL_FOLDER } from '../tools/leftovers.ts'
import { placeText } from '../tools/rclone-place.ts'
import type { PlaceContext, RemoteLocation } from './ask-place.ts'
import { listLocal, onlyPath, type ListingErrors } from './list-local.ts'
import { listRemote } from './list-remote.ts'
import { listServer } from './list-server.ts'
import type { SortedRecords } from './sorted-records.ts'

/** Folders of soxplan's own, wherever they stand: half files that a tool goes on with, and the state of runs. */
const ownFolders: ReadonlySet<string> = new Set([PARTIAL_FOLDER, '.soxplan'])

/** What is kept, whatever the source has. */
export const KEPT = 'k'

export interface DestinationListing {
  readonly root: Location
  /** For every place but this machine's. */
  readonly remote: (location: RemoteLocation) => PlaceContext
  readonly filter: PathFilter | undefined
  /** Paths below the root that are soxplan's own, as latin1 text. */
  readonly ours: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface ListedDestination {
  /** Entries that the filter lets through. On a remote only files count: it holds no directories. */
  readonly entries: number
  /** Folders that hold something that is kept, as latin1 paths. */
  readonly keptFolders: ReadonlySet<string>
}

/**
 * Puts a record `KIND SIZE MTIME PATH` for every entry into `sorted`, as the worker will see the same entry again:
 * directories as `d - -`, what the filter or soxplan itself keeps as `k - -`. Fails as the listers do, and SX353
 * when not all could be listed. Memory grows with directories.
 */
export async function listDestination(
  listing: DestinationListing,
  sorted: SortedRecords,
): Promise<Result<ListedDestination>> {
  const { root, signal } = listing
  const collector = new Collector(listing)
  const scanner = createScanner('listing', (view) => {
    sorted.add(...collector.recordOf(view))
  })
  const listed = await runLister(listing, (chunk) => {
    scanner.push(chunk)
    return sorted.pressure()
  })
  signal.throwIfAborted()
  if (!listed.ok) return listed
  const fault = scanner.end()
  const [complaint] = listed.value.lines
  if (fault === undefined && listed.value.count === 0) return ok(collector)
  return failWith(
    'SX353',
    `the destination ${placeText(root)} could not be listed in full, so nobody knows what is too much there`,
    'See that all of it can be read and that nobody changes it meanwhile, then plan again; or write `mode: copy`.',
    complaint ?? 'A record of its listing is not whole.',
  )
}

function runLister(
  { root, remote, env, signal }: DestinationListing,
  onChunk: (chunk: Buffer) => Promise<void> | undefined,
): Promise<Result<ListingErrors>> {
  const whole = { single: false, follow: false }
  if (root.kind === 'local')
    return listLocal({ path: root.path, ...whole, env: onlyPath(env), signal, onChunk })
  if (root.kind === 'ssh') return listServer({ ...remote(root), location: root, ...whole, onChunk })
  return listRemote({ ...remote(root), location: root }, 'of the service', onChunk)
}

class Collector implements ListedDestination {
  entries = 0
  readonly keptFolders = new Set<string>()
  private readonly filter: PathFilter | undefined
  private readonly ours: readonly string[]
  private readonly hasDirectories: boolean

  constructor({ filter, ours, root }: DestinationListing) {
    this.filter = filter
    this.ours = ours
    this.hasDirectories = namesAreBytes(root)
  }

  recordOf(view: RecordView): readonly Uint8Array[] {
    const path = view.buffer.subarray(view.pathStart, view.pathEnd)
    const isKept =
      // Of an object without a size nobody could tell whether it is still the same.
      view.kindByte === kindBytes.unknown ||
      (!this.hasDirectories && hasImpossibleSegment(view)) ||
      this.isOurs(view) ||
      this.filter?.takesAnyKind(view) === false
    if (isKept) {
      keepFoldersOf(pathText(view), this.keptFolders)
      return [Buffer.from(`${KEPT} - - `), path]
    }
    const isDirectory = view.kindByte === kindBytes.directory
    if (!isDirectory || this.hasDirectories) this.entries++
    if (isDirectory) return [Buffer.from('d - - '), path]
    if (this.hasDirectories) return [view.buffer.subarray(view.recordStart, view.identityStart), path]
    // The worker sees whole seconds on a remote.
    return [Buffer.from(`f ${view.size} ${view.hasMtime ? view.mtimeSeconds : '-'} `), path]
  }

  private isOurs(view: RecordView): boolean {
    const path = pathText(view)
    if (
      path.includes('.soxplan') &&
      path.split('/').some((name) => ownFolders.has(name) || isOwnLockName(name))
    )
      return true
    return this.ours.some((own) => path === own || path.startsWith(`${own}/`))
  }
}

/** All folders that the entry stands in. */
function keepFoldersOf(path: string, folders: Set<string>): void {
  for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
    const folder = path.slice(0, cut)
    if (folders.has(folder)) return
    folders.add(folder)
  }
}
