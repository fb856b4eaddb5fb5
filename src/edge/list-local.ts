/** Lists a local source with find, as a stream of records. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import { findOnPath } from './executor-choice.ts'
import type { Argv } from './process.ts'
import { runListing, type ListingRequest } from './survey-process.ts'

/** A record per entry, NUL-terminated, in raw bytes: what `inventory/scan.ts` reads. */
const recordFormat = '%y %s %T@ %D %i %n %m %U %G %P\\0%l\\0'
/** The same for one file, named without its folder. */
const singleFormat = '%y %s %T@ %D %i %n %m %U %G %f\\0%l\\0'

export interface LocalListing extends Omit<ListingRequest, 'argv' | 'readError'> {
  /** Absolute path of the source: a directory, or one file. */
  readonly path: string
  readonly single: boolean
  /** Symlinks are followed: what they lead to is listed under their own names. */
  readonly follow: boolean
}

/** Lines of stderr: what could not be listed. */
export interface ListingErrors {
  readonly count: number
  /** The first of them, printable. */
  readonly lines: readonly string[]
}

/** find hands its output on in pieces of 4 KiB; coreutils' stdbuf makes them large, which saves a tenth of all the work. */
const bufferBytes = 256 * 1024

function findArgv(listing: LocalListing): Argv {
  const links = listing.follow ? '-L' : '-P'
  // The closing slash makes find go through a symlink that the user named as the source.
  const root = listing.path.replace(/\/*$/, '/')
  if (!listing.single) return ['find', links, root, '-mindepth', '1', '-printf', recordFormat]
  return ['find', '-P', listing.path, '-maxdepth', '0', '-printf', singleFormat]
}

/**
 * Streams every entry below the source. What find can not read (no permission, gone meanwhile, a loop under `-L`)
 * it names on stderr: these lines come back as listing errors and the rest is listed all the same.
 * Fails SX205 when there is no find, when it was ended by a signal, or when it failed without saying why.
 */
export async function listLocal(listing: LocalListing): Promise<Result<ListingErrors>> {
  const find = findArgv(listing)
  const stdbuf = await findOnPath('stdbuf', listing.env)
  const ended = await runListing({
    ...listing,
    argv: stdbuf === undefined ? find : [stdbuf, `-o${bufferBytes}`, ...find],
    readError: (line) => line.replace(/^\S*find: /, ''),
  })
  if (ended.exitCode === 0 || (ended.exitCode === 1 && ended.errors.count > 0)) return ok(ended.errors)
  const how =
    ended.spawnError ??
    (ended.signal === undefined
      ? `it ended with exit code ${ended.exitCode ?? '?'}`
      : `it was ended by ${ended.signal}`)
  return failWith(
    'SX205',
    `cannot list ${listing.path} with find: ${how}`,
    ended.spawnError === undefined
      ? 'Plan again; when it happens again, run the find command by hand to see why.'
      : 'Install findutils (GNU find) and see that it is in PATH.',
    ended.errors.lines[0],
  )
}
