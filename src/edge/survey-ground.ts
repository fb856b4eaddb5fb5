/** What a survey knows before it lists anything: the request, both ends, and what will be compared. */

import { ok, type Result } from '../diagnostic.ts'
import type { FatePolicy } from '../inventory/fates.ts'
import { compileFilter, type PathFilter } from '../inventory/filter.ts'
import { namesAreBytes, type Location, type Transfer } from '../plan/plan.ts'
import { placeEnvironment } from '../tools/rclone-place.ts'
import type { PlaceContext, RemoteLocation } from './ask-place.ts'
import { askTraits, type RemoteTraits } from './list-remote.ts'
import {
  checkApart,
  findDestination,
  findSource,
  type DestinationEnd,
  type SourceEnd,
} from './survey-ends.ts'

export interface SurveyRequest {
  readonly transfer: Transfer
  /** Where the manifest is written, absolute. Its folder exists. */
  readonly manifestPath: string
  /** The plan's proof reads contents: entries that look equal become `check` instead of `same`. */
  readonly proveAll: boolean
  /** A run of this plan has finished: both ends may be equal still. Only a hint. */
  readonly deliveredBefore?: boolean
  readonly rclonePath: string
  /** The whole environment of rclone and ssh; a local find gets its PATH and nothing else. */
  readonly env: Readonly<Record<string, string>>
  /** Keys for S3 stand in the environment of the shell, and not in `env`. */
  readonly shellKeys?: boolean
  readonly signal: AbortSignal
  /** Called now and then with the number of entries listed so far. */
  readonly onProgress?: (entries: number) => void
}

/** All that is known before the listing starts. */
export interface Ground {
  readonly request: SurveyRequest
  readonly remote: (location: RemoteLocation) => PlaceContext
  readonly source: SourceEnd
  readonly destination: DestinationEnd
  readonly times: Times
  readonly filter: PathFilter | undefined
}

/** Whether a remote's listing tells times, and has to. */
export interface Times {
  readonly comparison: FatePolicy['comparison']
  readonly fromSource: boolean
  readonly fromDestination: boolean
  /** Upper and lower case are one to the destination, as far as a remote says so. */
  readonly destinationIgnoresCase: boolean
}

/** What rclone and ssh are asked with. */
export type AskingWith = Pick<SurveyRequest, 'env' | 'rclonePath' | 'shellKeys' | 'signal'>

/** How a place that is not this machine's is asked. */
export function placeAsker({ env, rclonePath, shellKeys, signal }: AskingWith): Ground['remote'] {
  return (location) => ({
    location,
    env: { ...env, ...placeEnvironment(location) },
    rclonePath,
    ...(shellKeys === true ? { shellKeys: true } : {}),
    signal,
  })
}

/** Looks at both ends. Fails as `survey` says, for everything that is known before a listing. */
export async function prepareGround(request: SurveyRequest): Promise<Result<Ground>> {
  const { transfer, signal } = request
  signal.throwIfAborted()
  const filter = compileFilter(transfer.include, transfer.exclude)
  if (!filter.ok) return filter
  const remote = placeAsker(request)
  const source = await findSource(transfer.from, remote)
  if (!source.ok) return source
  const destination = await findDestination(transfer, source.value, remote)
  if (!destination.ok) return destination
  const apart = await checkApart(source.value, destination.value)
  if (!apart.ok) return apart
  const times = await settleTimes(transfer, source.value.root, destination.value.root, remote)
  if (!times.ok) return times
  return ok({
    request,
    remote,
    source: source.value,
    destination: destination.value,
    times: times.value,
    filter: filter.value,
  })
}

/** `auto` compares times where both ends tell them for free: disks, and remotes that list them. */
async function settleTimes(
  transfer: Transfer,
  source: Location,
  destination: Location,
  remote: (location: RemoteLocation) => PlaceContext,
): Promise<Result<Times>> {
  const traitsOf = async (location: Location): Promise<Result<RemoteTraits>> =>
    namesAreBytes(location)
      ? ok({ mtimeIsFree: true, ignoresCase: false })
      : askTraits({ ...remote(location), location })
  const [from, to] = await Promise.all([traitsOf(source), traitsOf(destination)])
  if (!from.ok) return from
  if (!to.ok) return to
  const isAsked = transfer.compare === 'size+mtime' || transfer.existing === 'keep-newer'
  const auto = from.value.mtimeIsFree && to.value.mtimeIsFree ? 'size+mtime' : 'size'
  return ok({
    comparison: transfer.compare === 'auto' ? auto : transfer.compare,
    fromSource: from.value.mtimeIsFree || isAsked,
    fromDestination: to.value.mtimeIsFree || isAsked,
    destinationIgnoresCase: to.value.ignoresCase,
  })
}
