/** Lists a local source with find, as a stream of records. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import { findOnPath } from './executor-choice.ts'
import { listBranches } from './list-branches.ts'
import type { Argv } from './process.ts'
import { runListings, type ListingPart } from './listing-queue.ts'
import type { ListingRequest } from './survey-process.ts'

/** A record per entry is these, the path and what a symlink leads to, NUL-terminated, in raw bytes: what `inventory/scan.ts` reads. */
const allFields = '%y %s %T@ %D %i %n %m %U %G'
/** Records of the same form that tell no more than what is compared, which takes find a quarter less time. */
export const comparedFields = '%y %s %T@ 0 0 1 0 0 0'

export interface LocalListing extends Pick<ListingRequest, 'env' | 'signal' | 'onChunk'> {
  /** Absolute path of the source: a directory, or one file. */
  readonly path: string
  readonly single: boolean
  /** Symlinks are followed: what they lead to is listed under their own names. */
  readonly follow: boolean
  /** Absent: all that a listing tells. */
  readonly fields?: string
}

/** What find and stat need of an environment. */
export function onlyPath({ PATH }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return PATH === undefined ? {} : { PATH }
}

/** Lines of stderr: what could not be listed. */
export interface ListingErrors {
  readonly count: number
  /** The first of them, printable. */
  readonly lines: readonly string[]
}

/** find hands its output on in pieces of 4 KiB; coreutils' stdbuf makes them large, which saves a tenth of all the work. */
const bufferBytes = 256 * 1024

/** What find is told. `path` is one file, or a directory with a closing slash; `levels` limits the depth. */
export function findWords(
  { path, single, follow, fields = allFields }: Pick<LocalListing, 'path' | 'single' | 'follow' | 'fields'>,
  levels?: number,
): readonly string[] {
  const depth = levels === undefined ? [] : ['-maxdepth', String(levels)]
  return single
    ? ['-P', path, '-maxdepth', '0', '-printf', `${fields} %f\\0%l\\0`]
    : [follow ? '-L' : '-P', path, '-mindepth', '1', ...depth, '-printf', `${fields} %P\\0%l\\0`]
}

/** One find, as deep as it goes or only so many levels. */
function findPart(listing: LocalListing, root: string, find: Argv, levels?: number): ListingPart {
  const words = findWords({ ...listing, path: listing.single ? listing.path : root }, levels)
  return { argv: [...find, ...words], partialCode: 1, readError: (line) => line.replace(/^\S*find: /, '') }
}

/**
 * Streams every entry below the source. What find can not read (no permission, gone meanwhile, a loop under `-L`)
 * it names on stderr: these lines come back as listing errors and the rest is listed all the same. A directory is
 * listed by several finds, in an order that depends on nothing but the tree; where links are followed by one, because
 * only one find that has seen all of the way knows a loop.
 * Fails SX205 when there is no find, when it was ended by a signal, or when it failed without saying why.
 */
export async function listLocal(listing: LocalListing): Promise<Result<ListingErrors>> {
  const stdbuf = await findOnPath('stdbuf', listing.env)
  const buffered = (program: string): Argv =>
    stdbuf === undefined ? [program] : [stdbuf, `-o${bufferBytes}`, program]
  // The closing slash makes find go through a symlink that the user named as the source.
  const root = listing.path.replace(/\/*$/, '/')
  const xargs = listing.single || listing.follow ? undefined : await findOnPath('xargs', listing.env)
  const { errors, broken } =
    xargs === undefined
      ? await runListings([findPart(listing, root, buffered('find'))], { ...listing, atOnce: 1 })
      : await listBranches({
          ...listing,
          root,
          xargs: buffered(xargs),
          fields: listing.fields ?? allFields,
          top: findPart(listing, root, buffered('find'), 1),
        })
  if (broken === undefined) return ok(errors)
  const how =
    broken.spawnError ??
    (broken.signal === undefined
      ? `it ended with exit code ${broken.exitCode ?? '?'}`
      : `it was ended by ${broken.signal}`)
  return failWith(
    'SX205',
    `cannot list ${listing.path} with find: ${how}`,
    broken.spawnError === undefined
      ? 'Plan again; when it happens again, run the find command by hand to see why.'
      : 'Install findutils (GNU find) and see that it is in PATH.',
    broken.errors.lines[0],
  )
}
