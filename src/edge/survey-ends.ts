/** Finds out what stands at both ends of a transfer before anything is listed. */

import { constants } from 'node:fs'
import { access, lstat, opendir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { failWith, ok, type Result } from '../diagnostic.ts'
import { liesIn } from '../plan/paths.ts'
import type { Location, Transfer } from '../plan/plan.ts'
import { isErrno, isSystemError, systemReason } from './files.ts'
import { placeText } from '../tools/rclone-place.ts'
import { askPlace, type PlaceContext, type PlaceSort, type RemoteLocation } from './ask-place.ts'

/** The source as found. */
export interface SourceEnd {
  readonly kind: 'directory' | 'file'
  /** What manifest paths are relative to: the source, or the folder a single file lies in. */
  readonly root: Location
  /** What is listed: `root`, or the single file. */
  readonly listed: Location
  /** The single file's name below `root`. */
  readonly name?: string
}

/** The destination as found. */
export interface DestinationEnd {
  /** `absent` and `empty` need no look: all is new. `file`: a single file's own place on a remote is taken. */
  readonly state: 'absent' | 'empty' | 'filled'
  /** What destination paths are relative to. */
  readonly root: Location
  /** The single file's name there. */
  readonly name?: string
}

function withPath(location: Location, text: string): Location {
  return { ...location, path: text }
}

/** The folder that `location` lies in, and its own name. */
function split(location: Location): { folder: Location; name: string } {
  const cut = location.path.lastIndexOf('/')
  const folder = cut < 0 ? '' : cut === 0 ? '/' : location.path.slice(0, cut)
  return { folder: withPath(location, folder), name: location.path.slice(cut + 1) }
}

function noSource(text: string, why?: string): ReturnType<typeof failWith> {
  return failWith('SX201', `the source ${text} does not exist`, 'Correct `from` in the plan.', why)
}

async function findLocalSource(from: Location): Promise<Result<SourceEnd>> {
  try {
    const found = await stat(from.path)
    if (!found.isDirectory() && !found.isFile())
      return failWith(
        'SX203',
        `the source ${from.path} is neither a file nor a directory`,
        'Name a file or a directory as `from`.',
      )
    await access(from.path, found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK)
    const root = (await lstat(from.path)).isSymbolicLink() ? withPath(from, await realpath(from.path)) : from
    if (found.isDirectory()) return ok({ kind: 'directory', root, listed: root })
    const { folder, name } = split(root)
    return ok({ kind: 'file', root: folder, listed: root, name })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return noSource(from.path, await danglingWhy(from.path))
    if (!isSystemError(error)) throw error
    return failWith(
      'SX202',
      `the source ${from.path} can not be read: ${systemReason(error)}`,
      'Ask its owner for read access, or run soxplan as a user who has it.',
    )
  }
}

async function danglingWhy(file: string): Promise<string | undefined> {
  try {
    return (await lstat(file)).isSymbolicLink() ? 'It is a symlink that leads nowhere.' : undefined
  } catch {
    return undefined
  }
}

export async function findSource(
  from: Location,
  remote: (location: RemoteLocation) => PlaceContext,
): Promise<Result<SourceEnd>> {
  if (from.kind === 'local') return findLocalSource(from)
  const asked = await askPlace(remote(from))
  if (!asked.ok) return asked
  const { location, found } = asked.value
  switch (found.sort) {
    case 'absent':
      return noSource(placeText(from))
    case 'dangling':
      return noSource(placeText(from), 'It is a symlink that leads nowhere.')
    case 'closed':
      return failWith(
        'SX202',
        `the source ${placeText(from)} can not be read`,
        'Ask its owner for read access, or log in as a user who has it.',
      )
    case 'special':
      return failWith(
        'SX203',
        `the source ${placeText(from)} is neither a file nor a directory`,
        'Name a file or a directory as `from`.',
      )
    case 'empty':
    case 'directory':
      return ok({ kind: 'directory', root: location, listed: location })
    case 'file':
      return ok({ kind: 'file', root: split(location).folder, listed: location, name: found.name })
  }
}

/** True when a file lands inside `to`: `to` is a directory, or written with a closing slash. */
function landsInside(transfer: Transfer, isDirectory: boolean): boolean {
  return transfer.toIsDirectory || isDirectory
}

type Standing = 'absent' | 'directory' | 'file'

async function standingAt(file: string): Promise<Result<Standing>> {
  try {
    return ok((await stat(file)).isDirectory() ? 'directory' : 'file')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ok('absent')
    if (!isSystemError(error)) throw error
    if (error.code === 'ENOTDIR') return notDirectory(file, 'Something on the way to it is a file.')
    return failWith(
      'SX302',
      `the destination ${file} can not be looked at: ${systemReason(error)}`,
      'Correct `to` in the plan, or ask the owner of that folder for access.',
    )
  }
}

function notDirectory(text: string, why?: string): ReturnType<typeof failWith> {
  return failWith(
    'SX301',
    `the destination ${text} is not a directory`,
    'Correct `to` in the plan, or move away what stands there.',
    why,
  )
}

async function isEmpty(folder: string): Promise<boolean> {
  const handle = await opendir(folder)
  try {
    return (await handle.read()) === null
  } finally {
    await handle.close()
  }
}

async function findLocalRoot(root: Location, name: string | undefined): Promise<Result<DestinationEnd>> {
  const standing = await standingAt(root.path)
  if (!standing.ok) return standing
  if (standing.value === 'file') return notDirectory(root.path)
  const named = name === undefined ? {} : { name }
  if (standing.value === 'absent') return ok({ state: 'absent', root, ...named })
  try {
    return ok({ state: (await isEmpty(root.path)) ? 'empty' : 'filled', root, ...named })
  } catch (error) {
    // Not to be read, but names in it may be looked up all the same.
    if (isErrno(error, 'EACCES')) return ok({ state: 'filled', root, ...named })
    throw error
  }
}

/**
 * Where things land. The contents of a directory land in `to`; a single file lands in `to` when that is a directory
 * or was written with a closing slash, else `to` is its new name.
 */
export async function findDestination(
  transfer: Transfer,
  source: SourceEnd,
  remote: (location: RemoteLocation) => PlaceContext,
): Promise<Result<DestinationEnd>> {
  const { to } = transfer
  if (to.kind !== 'local') return findRemoteDestination(transfer, source, to, remote)
  if (source.kind === 'directory') return findLocalRoot(to, undefined)
  const standing = await standingAt(to.path)
  if (!standing.ok) return standing
  // The name that the user wrote, not the one a symlink of that name leads to.
  if (landsInside(transfer, standing.value === 'directory'))
    return findLocalRoot(to, split(transfer.from).name)
  const { folder, name } = split(to)
  return findLocalRoot(folder, name)
}

async function findRemoteDestination(
  transfer: Transfer,
  source: SourceEnd,
  to: RemoteLocation,
  remote: (location: RemoteLocation) => PlaceContext,
): Promise<Result<DestinationEnd>> {
  const asked = await askPlace(remote(to))
  if (!asked.ok) return asked
  const { location, found } = asked.value
  if (source.kind === 'directory') {
    if (!isDirectory(found) && found.sort !== 'absent') return notDirectory(placeText(to))
    return ok({ state: stateOf(found), root: location })
  }
  if (!landsInside(transfer, isDirectory(found))) {
    const { folder, name } = split(location)
    return ok({ state: stateOf(found), root: folder, name })
  }
  const name = split(transfer.from).name
  const place = withPath(location, location.path === '' ? name : `${location.path}/${name}`) as RemoteLocation
  const there = await askPlace(remote(place))
  if (!there.ok) return there
  return ok({ state: stateOf(there.value.found), root: location, name })
}

function isDirectory({ sort }: PlaceSort): boolean {
  return sort === 'directory' || sort === 'empty' || sort === 'closed'
}

function stateOf({ sort }: PlaceSort): DestinationEnd['state'] {
  return sort === 'absent' || sort === 'empty' ? sort : 'filled'
}

/** The deepest part of a path that exists, made free of symlinks, with the rest behind it. */
export async function resolved(file: string): Promise<string> {
  const rest: string[] = []
  for (let at = file; ; at = path.dirname(at)) {
    try {
      return path.join(await realpath(at), ...rest.reverse())
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES') || at === '/') return file
      rest.push(path.basename(at))
    }
  }
}

/**
 * Refuses to copy a directory into itself or a file onto itself, by what the paths lead to: the plan was checked by
 * its words alone. Fails SX303.
 */
export async function checkApart(source: SourceEnd, destination: DestinationEnd): Promise<Result<undefined>> {
  if (source.root.kind !== 'local' || destination.root.kind !== 'local') return ok(undefined)
  const from = await resolved(source.listed.path)
  const to = await resolved(path.join(destination.root.path, destination.name ?? ''))
  const isInside = source.kind === 'directory' ? liesIn(to, from) : to === from
  if (!isInside) return ok(undefined)
  return failWith(
    'SX303',
    `the destination ${destination.root.path} lies in the source ${source.listed.path}`,
    'Choose a destination outside of the source.',
    `They lead to ${to} and ${from}.`,
  )
}
