/** Lists a place on a server with its own find, over SSH, as a stream of the records that a local listing has. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import { onServer } from '../script/server.ts'
import type { SshLocation } from '../plan/plan.ts'
import { sshCommand, sshPath } from '../tools/ssh.ts'
import { findWords, type ListingErrors } from './list-local.ts'
import { runListings } from './listing-queue.ts'
import { sshFailure } from './ssh-trouble.ts'
import type { ListingRequest } from './survey-process.ts'

export interface ServerListing extends Pick<ListingRequest, 'env' | 'signal' | 'onChunk'> {
  readonly location: SshLocation
  readonly single: boolean
  readonly follow: boolean
}

/** find names what it could not list and ends with this. */
const FIND_PARTIAL = 1
const SSH_FAILED = 255

/**
 * Streams every entry below the place. What find can not read it names on stderr, as `listLocal` does. Fails SX205
 * where find gave up, and SX221–SX225 where the connection did.
 */
export async function listServer(listing: ServerListing): Promise<Result<ListingErrors>> {
  const { location, single, follow } = listing
  const root = single ? sshPath(location) : sshPath(location).replace(/\/*$/, '/')
  const part = {
    argv: [
      ...sshCommand(location.server),
      onServer(['find', ...findWords({ path: root, single, follow })]),
    ] as const,
    partialCode: FIND_PARTIAL,
    readError: (line: string) => line.replace(/^\S*find: /, ''),
  }
  const { errors, broken } = await runListings([part], { ...listing, atOnce: 1 })
  if (broken === undefined) return ok(errors)
  const said = broken.errors.lines.at(-1) ?? ''
  if (broken.exitCode === SSH_FAILED) return sshFailure(location, said)
  return failWith(
    'SX205',
    `cannot list ${location.endpoint}:${location.path} with find: ${broken.signal ?? broken.spawnError ?? `it ended with exit code ${broken.exitCode ?? '?'}`}`,
    'Plan again; when it happens again, run the find command on the server by hand to see why.',
    said === '' ? undefined : said,
  )
}
