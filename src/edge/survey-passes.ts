/** The passes of a survey: over the destination where it is a remote, over the source, and over its manifest again where that is needed. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import { createTree, type TreeBuilder } from '../inventory/directories.ts'
import { kindBytes } from '../inventory/entry.ts'
import type { FatePolicy } from '../inventory/fates.ts'
import { createRemoteIndex, type RemoteIndex } from '../inventory/remote-index.ts'
import { createScanner } from '../inventory/scan.ts'
import { pathText, type Summary } from '../inventory/summary.ts'
import { namesAreBytes, type Location, type Transfer } from '../plan/plan.ts'
import { linkOfFileName, translatesLinks } from '../tools/rclone-links.ts'
import { Bug } from '../units.ts'
import { sightOf } from './fixup-sight.ts'
import { listLinkDigests, noDigests, type LinkDigests } from './link-digests.ts'
import { listLocal, onlyPath, type ListingErrors } from './list-local.ts'
import { listRemote } from './list-remote.ts'
import { listServer } from './list-server.ts'
import {
  lookAtLocal,
  lookAtNothing,
  lookAtRemote,
  lookAtServer,
  type DestinationLook,
} from './look-destination.ts'
import { createManifestWriter, scanManifest } from './manifest-file.ts'
import type { Ground } from './survey-ground.ts'
import { createIntake, type Intake } from './survey-intake.ts'
import { TwinListing, twinsOf } from './twin-listing.ts'

/** What a destination elsewhere holds; undefined when there is nothing to list. */
async function indexDestination(ground: Ground): Promise<Result<RemoteIndex | undefined>> {
  const { destination, remote, times } = ground
  const { root, name, state } = destination
  if (root.kind === 'local' || state !== 'filled') return ok(undefined)
  const index = createRemoteIndex()
  const scanner = createScanner('listing', (view) => {
    index.add(view)
  })
  const onChunk = (records: Buffer): undefined => {
    scanner.push(records)
  }
  const location = name === undefined ? root : { ...root, path: below(root.path, name) }
  const context = remote(location)
  const listed =
    location.kind === 'ssh'
      ? await listServer({ ...context, location, single: name !== undefined, follow: false, onChunk })
      : await listRemote({ ...context, location }, times.fromDestination, onChunk)
  if (!listed.ok) return listed
  const fault = scanner.end()
  if (fault !== undefined) throw new Bug(`our own record is ${fault.reason} at byte ${fault.offset}`)
  return ok(index)
}

function below(folder: string, name: string): string {
  return folder === '' || folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`
}

/** What symlinks on the remote end lead to, where both ends may have some. */
async function askDigests(ground: Ground): Promise<Result<LinkDigests>> {
  const { request, source, destination, remote } = ground
  const isAsked =
    destination.state === 'filled' &&
    source.kind === 'directory' &&
    translatesLinks(request.transfer, source.root, destination.root)
  if (!isAsked) return ok(noDigests)
  const [far] = [source.root, destination.root].filter(({ kind }) => kind !== 'local')
  if (far === undefined || far.kind === 'local' || far.kind === 'ssh') return ok(noDigests)
  return listLinkDigests({ ...remote(far), location: far })
}

/** What is known of the far ends before entries are judged. */
interface Known {
  readonly index: RemoteIndex | undefined
  readonly digests: LinkDigests
}

function openLook(ground: Ground, tree: TreeBuilder, { index, digests }: Known): DestinationLook {
  const { root, name, state } = ground.destination
  const isRcloneNamed = !namesAreBytes(ground.source.root)
  const naming = { isRcloneNamed, ...(name === undefined ? {} : { newName: name }) }
  if (index !== undefined && root.kind === 'ssh') return lookAtServer(index, tree, name)
  if (index !== undefined) return lookAtRemote(index, { ...naming, digests })
  if (state !== 'filled') return lookAtNothing()
  return lookAtLocal({
    root: root.path,
    tree,
    followLinks: ground.request.transfer.followDestinationLinks,
    env: onlyPath(ground.request.env),
    ...naming,
  })
}

/** One pass over the entries, and what came of it. */
export interface Taken {
  readonly tree: TreeBuilder
  readonly summary: Summary
  readonly filtered: number
  /** Over SSH, names that only rsync carries. */
  readonly oddNames: number
  readonly errors: ListingErrors
}

export interface TakenAll extends Taken {
  /** Symlinks on a remote that keeps no MD5: they are compared by the length of their targets. */
  readonly linksByLength: number
}

/** What an intake was fed with. */
interface Fed {
  readonly errors: ListingErrors
  /** The destination holds all of it, and the intake was fed with nothing. */
  readonly same?: Summary
}

async function takeIn(
  ground: Ground,
  known: Known,
  collisions: Collisions | undefined,
  feed: (intake: Intake) => Promise<Result<Fed>>,
): Promise<Result<Taken>> {
  const { request, source, destination } = ground
  const tree = createTree()
  const look = openLook(ground, tree, known)
  const writer = createManifestWriter(request.manifestPath)
  let isKept = false
  try {
    const intake = createIntake({
      tree,
      look,
      policy: policyOf(ground),
      filter: ground.filter,
      writer,
      sourceRoot: source.root,
      destinationRoot: destination.root,
      rcloneCarries: request.transfer.tool === 'rclone',
      awsCarries: request.transfer.tool === 'aws',
      translatesLinks: translatesLinks(request.transfer, source.root, destination.root),
      ...(collisions ?? {}),
      ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
    })
    const fed = await feed(intake)
    if (!fed.ok) return fed
    const { errors, same } = fed.value
    if (same !== undefined) return ok({ tree, summary: same, filtered: 0, oddNames: 0, errors })
    const whole = await intake.end()
    request.signal.throwIfAborted()
    if (!whole.ok) return whole
    if (intake.links > 0 && isUndecided(request.transfer, destination.root))
      return askAboutLinks(request.transfer, intake.links, destination.root)
    const written = await writer.close()
    isKept = true
    if (!written.ok) return written
    const { filtered, oddNames } = intake
    return ok({ tree, summary: intake.summary.finish(), filtered, oddNames, errors })
  } finally {
    await look.slow?.close()
    if (!isKept) await writer.discard()
  }
}

function policyOf(ground: Ground): FatePolicy {
  const { transfer, proveAll } = ground.request
  return {
    existing: transfer.existing,
    comparison: ground.times.comparison,
    proveAll,
    symlinks: transfer.symlinks ?? 'keep',
    destination: namesAreBytes(ground.destination.root) ? 'local' : 'rclone',
    ...(transfer.fixup === undefined
      ? {}
      : { fixup: sightOf(transfer.fixup, ground.source.root, ground.destination.root) }),
  }
}

/** Between disks links are kept; a remote holds no links, so somebody has to say what becomes of them. */
function isUndecided(transfer: Transfer, destination: Location): boolean {
  return transfer.symlinks === undefined && !namesAreBytes(destination)
}

function askAboutLinks(
  transfer: Transfer,
  links: number,
  destination: Location,
): ReturnType<typeof failWith> {
  const isKept = translatesLinks({ ...transfer, symlinks: 'keep' }, transfer.from, destination)
  return failWith(
    'SX204',
    `transfer ${transfer.name}: the source has ${links} symlink${links === 1 ? '' : 's'}, and a remote holds none`,
    `Write \`symlinks: follow\` to copy what they lead to, ${isKept && transfer.tool !== 'aws' ? '`symlinks: keep` to store each as a file NAME.rclonelink, ' : ''}or \`symlinks: skip\` to leave them out.`,
  )
}

/** Lists the source into an intake, or beside a destination that may hold the same. */
async function feedFromSource(ground: Ground, { digests }: Known, intake: Intake): Promise<Result<Fed>> {
  const twins = twinsOf(ground)
  if (twins === undefined) {
    const listed = await listSource(ground, digests, intake)
    return listed.ok ? ok({ errors: listed.value }) : listed
  }
  const twin = new TwinListing(ground, twins, intake)
  try {
    const listed = await listSource(ground, digests, twin)
    if (!listed.ok) return listed
    const same = await twin.end(listed.value)
    return ok({ errors: listed.value, ...(same === undefined ? {} : { same }) })
  } finally {
    await twin.close()
  }
}

async function listSource(
  ground: Ground,
  digests: LinkDigests,
  intake: Pick<Intake, 'push'>,
): Promise<Result<ListingErrors>> {
  const { request, source, remote, times } = ground
  const onChunk = (chunk: Buffer): Promise<void> | undefined => intake.push(chunk)
  const location = source.listed
  const how = { single: source.kind === 'file', follow: request.transfer.symlinks === 'follow' }
  if (location.kind === 'ssh') return listServer({ ...remote(location), location, ...how, onChunk })
  if (location.kind !== 'local')
    return listRemote(
      { ...remote(location), location },
      times.fromSource,
      onChunk,
      source.kind === 'directory' && translatesLinks(request.transfer, source.root, ground.destination.root)
        ? (path) => {
            const link = linkOfFileName(path)
            return link === undefined ? undefined : { path: link, digest: digests.of.get(path) ?? 0 }
          }
        : undefined,
    )
  return listLocal({
    path: location.path,
    ...how,
    env: onlyPath(request.env),
    signal: request.signal,
    onChunk,
  })
}

/** What of a remote source no disk can hold beside the rest. Latin1 paths. */
interface Collisions {
  /** Files and symlinks whose names are also directories. */
  readonly prefixes: ReadonlySet<string>
  /** Symlinks whose names are also files. */
  readonly twins: ReadonlySet<string>
}

async function findCollisions(ground: Ground, tree: TreeBuilder): Promise<Result<Collisions>> {
  const { request, source, destination } = ground
  const prefixes = new Set<string>()
  const links = new Set<string>()
  const twins = new Set<string>()
  if (namesAreBytes(source.root) || !namesAreBytes(destination.root)) return ok({ prefixes, twins })
  const scan = (onRecord: Parameters<typeof scanManifest>[1]): ReturnType<typeof scanManifest> =>
    scanManifest(request.manifestPath, onRecord, { stop: request.signal })
  const scanned = await scan((view) => {
    if (view.kindByte === kindBytes.directory) return
    if (tree.has(view)) prefixes.add(pathText(view))
    if (view.kindByte === kindBytes.symlink) links.add(pathText(view))
  })
  if (!scanned.ok) return scanned
  if (links.size === 0) return ok({ prefixes, twins })
  const again = await scan((view) => {
    if (view.kindByte === kindBytes.file && links.has(pathText(view))) twins.add(pathText(view))
  })
  return again.ok ? ok({ prefixes, twins }) : again
}

/** Lists, compares and writes the manifest. */
export async function takeAll(ground: Ground): Promise<Result<TakenAll>> {
  const { manifestPath, signal } = ground.request
  const index = await indexDestination(ground)
  if (!index.ok) return index
  const digests = await askDigests(ground)
  if (!digests.ok) return digests
  const known = { index: index.value, digests: digests.value }
  const feed = (intake: Intake): Promise<Result<Fed>> => feedFromSource(ground, known, intake)
  const first = await takeIn(ground, known, undefined, feed)
  if (!first.ok) return first
  const listed = ok({ ...first.value, linksByLength: digests.value.lacking })
  const collisions = await findCollisions(ground, listed.value.tree)
  if (!collisions.ok) return collisions
  if (collisions.value.prefixes.size + collisions.value.twins.size === 0) return listed
  // Which keys have others below them is known at the end only, so that all is judged again.
  const judged = await takeIn(ground, known, collisions.value, async (intake) => {
    const scanned = await scanManifest(
      manifestPath,
      (view) => {
        intake.take(view)
      },
      { stop: signal },
    )
    return scanned.ok ? ok({ errors: listed.value.errors }) : scanned
  })
  return judged.ok ? ok({ ...listed.value, ...judged.value, filtered: listed.value.filtered }) : judged
}
