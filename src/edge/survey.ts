/** Surveys one transfer: lists its source once, compares each entry with the destination, and writes the manifest. */

import { ok, type Result } from '../diagnostic.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import type { FatePolicy } from '../inventory/fates.ts'
import { emptyDirectories, type Named, type Summary } from '../inventory/summary.ts'
import { namesAreBytes, type Location } from '../plan/plan.ts'
import type { ListingErrors } from './list-local.ts'
import { prepareGround, type Ground, type SurveyRequest } from './survey-ground.ts'
import { takeAll, type TakenAll } from './survey-passes.ts'

/** What a source holds and what a plan makes of it. All paths but roots are latin1 text of raw bytes: see `printable`. */
export interface Survey extends Summary {
  readonly tree: TreeBuilder
  readonly manifestPath: string
  /** What could not be listed; the first lines, printable. */
  readonly listingErrors: ListingErrors
  /** Entries that `include` and `exclude` left out. */
  readonly filtered: number
  /** Over SSH, names that only rsync carries. */
  readonly oddNames: number
  /** Symlinks on a remote that are compared by the length of their targets, because it keeps no MD5. */
  readonly linksByLength: number
  readonly sourceKind: 'directory' | 'file'
  /** What manifest paths are relative to: `from`, or the folder that a single file lies in. */
  readonly sourceRoot: Location
  /** What destination paths are relative to: `to`, or the folder that a single file gets its new name in. */
  readonly destinationRoot: Location
  /** A single file, by its name in the manifest and its name at the destination. */
  readonly single?: { readonly from: string; readonly to: string }
  readonly destinationState: 'absent' | 'empty' | 'filled'
  /** What told equal from different, after `auto` was settled. */
  readonly comparison: FatePolicy['comparison']
  /** Upper and lower case are one to the destination, as far as a remote says so. */
  readonly destinationIgnoresCase: boolean
  /** The manifest holds modification times. */
  readonly hasMtime: boolean
  /** Directories without any entry, towards a remote only: it does not hold them. */
  readonly emptyDirectories: Named
}

/**
 * Surveys one transfer. Nothing is written but the manifest. Throws the signal's reason on abort; the manifest is
 * removed then, as after every failure.
 *
 * Fails SX201–SX203 for the source, SX301 and SX302 for the destination, SX303 when one lies in the other, SX204 when
 * symlinks turn up and the plan has to say what to do with them, SX205, SX206, SX207 and SX208 when a listing fails,
 * SX210 for a pattern, SX321 when the manifest can not be written.
 */
export async function survey(request: SurveyRequest): Promise<Result<Survey>> {
  const ground = await prepareGround(request)
  if (!ground.ok) return ground
  const taken = await takeAll(ground.value)
  return taken.ok ? ok(describe(ground.value, taken.value)) : taken
}

function describe(ground: Ground, taken: TakenAll): Survey {
  const { request, source, destination, times } = ground
  const from = source.name
  return {
    ...taken.summary,
    tree: taken.tree,
    manifestPath: request.manifestPath,
    listingErrors: taken.errors,
    filtered: taken.filtered,
    oddNames: taken.oddNames,
    linksByLength: taken.linksByLength,
    sourceKind: source.kind,
    sourceRoot: source.root,
    destinationRoot: destination.root,
    ...(from === undefined ? {} : { single: { from, to: destination.name ?? from } }),
    destinationState: destination.state,
    comparison: times.comparison,
    destinationIgnoresCase: times.destinationIgnoresCase,
    hasMtime: namesAreBytes(source.root) || times.fromSource,
    emptyDirectories: namesAreBytes(destination.root)
      ? { count: 0, named: [] }
      : emptyDirectories(taken.tree),
  }
}
