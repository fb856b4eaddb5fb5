/**
 * aws s3 sync: carries whole prefixes of a bucket. It takes no lists of names, so that a shard is made of subtrees and of
 * the files that stand loose in one folder. What differs is told by size alone: by its own rule it would also write over
 * files of equal size that are newer here than there, on the way up and on the way down alike (measured with 2.9.19).
 */

import type { Location, S3Location } from '../plan/plan.ts'
import { Bug } from '../units.ts'
import { awsSettings } from './aws-settings.ts'
import { isSameEverywhere, keyOfRcloneName } from './rclone-names.ts'
import { singlePlaces } from './rclone-place.ts'
import { rclone } from './rclone.ts'
import type { CopyCommand, CopyContext, LogClass, Tool, TransferEnd, WholePrefixes } from './tool.ts'

/** `--copy-props` came with the second major version. */
export const awsFloor = { major: 2, minor: 0 }

/**
 * Calls side by side in one worker, where it has so many processors. One keeps one of them busy: of 1,000 small objects it
 * takes about 150 a second (2.9.19).
 */
const CALLS_AT_ONCE = 4
/** Requests at once of one call, so that a few large files still go in many parts. */
const REQUESTS_AT_ONCE = 16
/** Fewer connections than this are not shared out over several calls. */
const REQUESTS_MIN = 4

function copyCommand(context: CopyContext): CopyCommand {
  const { transfer, source, destination, bandwidthPerWorker, connectionsPerWorker } = context
  const [from, to] = [source.root, destination.root]
  const calls =
    bandwidthPerWorker !== undefined
      ? 1
      : connectionsPerWorker === undefined
        ? CALLS_AT_ONCE
        : Math.max(1, Math.min(CALLS_AT_ONCE, Math.floor(connectionsPerWorker / REQUESTS_MIN)))
  const single = singlePlaces(source, destination)
  return {
    program: context.program ?? 'aws',
    args: [
      's3',
      ...(single === undefined ? ['sync', '--size-only'] : ['cp']),
      '--only-show-errors',
      transfer.symlinks === 'follow' ? '--follow-symlinks' : '--no-follow-symlinks',
      ...placeFlags(from, to),
    ],
    argsAsRoot: [],
    callsAtOnce: calls,
    source: place(source),
    destination: place(destination),
    ...(single === undefined ? {} : { single }),
    takesPrefixes: true,
    settingsCommand: settingsCommand(context),
    settings: awsSettings({
      transfer,
      requestsAtOnce:
        connectionsPerWorker === undefined
          ? REQUESTS_AT_ONCE
          : Math.max(1, Math.min(REQUESTS_AT_ONCE, Math.floor(connectionsPerWorker / calls))),
      ...(connectionsPerWorker === undefined
        ? {}
        : { requestsMax: Math.max(1, Math.floor(connectionsPerWorker / calls)) }),
      ...(bandwidthPerWorker === undefined ? {} : { bandwidthPerWorker }),
    }),
    setsModes: true,
    writesInPlace: false,
    needs: awsFloor,
  }
}

/** The places with a closing slash, so that a folder is never taken for an object of that name; a single file in full. */
function place({ root, name }: TransferEnd): string {
  const key = (text: string): string => Buffer.from(keyOfRcloneName(Buffer.from(text))).toString()
  switch (root.kind) {
    case 'local':
      return closed(root.path) + (name ?? '')
    case 's3':
      return `s3://${root.bucket}/${root.path === '' ? '' : closed(key(root.path))}${name === undefined ? '' : key(name)}`
    case 'rclone':
    case 'ssh':
    case 'sftp':
      throw new Bug(`aws does not reach ${root.kind}`)
  }
}

function closed(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

function placeFlags(from: Location, to: Location): readonly string[] {
  const [there] = [to, from].filter((location) => location.kind === 's3')
  if (there === undefined) throw new Bug('aws copies to or from a bucket')
  const { service, region, profile } = there
  const isBetween = from.kind === 's3' && to.kind === 's3'
  return [
    ...(service === undefined ? [] : ['--endpoint-url', service]),
    ...(region === undefined ? [] : ['--region', region]),
    ...(profile === undefined ? [] : ['--profile', profile]),
    // With it aws asks AWS itself for the source, whatever --endpoint-url says (2.9.19).
    ...(isBetween && from.region !== undefined && service === undefined
      ? ['--source-region', from.region]
      : []),
    // Tags would take two requests more for each large object.
    ...(isBetween ? ['--copy-props', 'metadata-directive'] : []),
  ]
}

function settingsCommand({ program, source, destination }: CopyContext): readonly string[] {
  const profile = [destination.root, source.root].flatMap((root) =>
    root.kind === 's3' && root.profile !== undefined ? ['--profile', root.profile] : [],
  )
  return [program ?? 'aws', ...profile.slice(0, 2), 'configure', 'set']
}

/** Two buckets of which one call can speak to both. */
function isOneService(one: S3Location, other: S3Location): boolean {
  return (
    one.service === other.service && one.profile === other.profile && one.credentials === other.credentials
  )
}

function carries(from: Location, to: Location): boolean {
  if (from.kind === 's3' && to.kind === 's3') return isOneService(from, to)
  return (from.kind === 's3' && to.kind === 'local') || (from.kind === 'local' && to.kind === 's3')
}

/**
 * aws puts the place in front of a pattern as it is, where `[` begins a set of characters: below such a folder no pattern
 * means what it says. Neither `*` nor `?` harm, because each also stands for itself.
 */
function opens(root: Location, path: string): boolean {
  return !root.path.includes('[') && !path.includes('[')
}

/** Latin1 text of a name as a pattern that fits nothing else. It is no option, no absolute path and no `file://`. */
export function exactPattern(name: string): string {
  const escaped = name.replace(/[[*?]/g, '[$&]')
  return escaped.replace(/^[a-zA-Z/-]/, '[$&]')
}

export const prefixes: WholePrefixes = {
  opens,
  nameOf: (path, from) => (from.kind === 'local' ? path : keyOfRcloneName(path)),
  pattern: (name) => Buffer.from(exactPattern(Buffer.from(name).toString('latin1')), 'latin1'),
}

/** Names that aws makes the same of as whoever looks: see `isSameEverywhere`. Between buckets keys stay as they are. */
export function isAwsName(path: Uint8Array, from: Location, to: Location): boolean {
  return (from.kind !== 'local' && to.kind !== 'local') || isSameEverywhere(path, from.kind === 'local')
}

const causes: readonly (readonly [LogClass, RegExp])[] = [
  ['usage', /unknown options?:|aws: error:|could not be found|Unable to locate credentials/i],
  ['no-space', /No space left|quota exceeded/i],
  [
    'denied',
    /AccessDenied|\(403\)|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|Permission denied/i,
  ],
  ['throttled', /SlowDown|TooManyRequests|\(503\)|reduce your request rate/i],
  ['unreachable', /Could not connect|Connection was closed|timeout on endpoint|Connection refused/i],
]

function classifyLog(logTail: string): LogClass {
  return causes.find(([, pattern]) => pattern.test(logTail))?.[0] ?? 'unknown'
}

export const aws: Tool = {
  name: 'aws',
  carries,
  leavesSymlinks: true,
  copyCommand,
  // Nobody copies from this list, but whoever looks at a bucket does so with rclone.
  listEntry: (path, from) => rclone.listEntry(path, from),
  prefixes,
  // Errors are all it prints: a line per object would fill the run folder. The worker notes what a call has carried.
  progress: () => undefined,
  classifyLog,
}
