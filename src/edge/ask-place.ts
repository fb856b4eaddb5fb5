/** Asks what stands at a place that is not this machine's, by ssh or by rclone, in one form for both. */

import { fail, ok, type Result } from '../diagnostic.ts'
import type { Location, SshLocation } from '../plan/plan.ts'
import { askServer, type ServerSort } from './ask-server.ts'
import { askSort, type RcloneLocation } from './list-remote.ts'
import { probeTool } from './tool-probe.ts'
import { overJump } from '../tools/choose.ts'

/** Every place but a local one. */
export type RemoteLocation = Exclude<Location, { kind: 'local' }>

/** What it takes to ask. */
export interface PlaceContext {
  readonly location: RemoteLocation
  readonly rclonePath: string
  /** The whole environment of ssh and rclone. */
  readonly env: Readonly<Record<string, string>>
  /** Keys for S3 stand in the environment of the shell, and not in `env`. */
  readonly shellKeys?: boolean
  readonly signal: AbortSignal
}

/** `name` is a file's own name. `closed`: it is there, and this user may not read it. */
export type PlaceSort =
  | { readonly sort: 'absent' | 'empty' | 'directory' | 'closed' | 'special' | 'dangling' }
  | { readonly sort: 'file'; readonly name: string }

/** The location as it can be spoken to: a server without a shell becomes one that rclone speaks SFTP to. */
export interface PlaceAnswer {
  readonly location: RemoteLocation
  readonly found: PlaceSort
}

const sorts: Readonly<Record<Exclude<ServerSort, 'file'>, Exclude<PlaceSort['sort'], 'file'>>> = {
  absent: 'absent',
  directory: 'directory',
  'empty directory': 'empty',
  'closed directory': 'closed',
  'closed file': 'closed',
  'something else': 'special',
  'dangling link': 'dangling',
}

/** Fails as `askServer` and `askSort` do. */
export async function askPlace(context: PlaceContext): Promise<Result<PlaceAnswer>> {
  const { location } = context
  if (location.kind !== 'ssh') return askRclone(context, location)
  const asked = await askServer(context, location)
  if (!asked.ok) return asked
  const { sort } = asked.value
  if (sort === undefined) return askSftp(context, { ...asked.value.location, kind: 'sftp' })
  const name = location.path.slice(location.path.lastIndexOf('/') + 1)
  return ok({
    location: asked.value.location,
    found: sort === 'file' ? { sort, name } : { sort: sorts[sort] },
  })
}

/** A server that only rclone can look at. Fails SX401 and SX409, too. */
async function askSftp(context: PlaceContext, location: SshLocation): Promise<Result<PlaceAnswer>> {
  if (location.server.jump !== undefined) {
    const rclone = await probeTool('rclone', context.rclonePath, context.env, context.signal)
    const able = 'tool' in rclone ? overJump(rclone, location) : fail([rclone])
    if (!able.ok) return able
  }
  return askRclone(context, location)
}

async function askRclone(context: PlaceContext, location: RcloneLocation): Promise<Result<PlaceAnswer>> {
  const asked = await askSort({ ...context, location })
  return asked.ok ? ok({ location, found: asked.value }) : asked
}
