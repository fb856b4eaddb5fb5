/** rclone: carries anything to and from remotes, and large files between disks. */

import { namesAreBytes, type Location } from '../plan/plan.ts'
import { optionFlags, optionFloors } from './options.ts'
import { rcloneShare } from './connections.ts'
import { encodeRcloneName } from './rclone-names.ts'
import { translatesLinks } from './rclone-links.ts'
import { rcloneConfigFlags, rcloneFolder, singlePlaces } from './rclone-place.ts'
import {
  highest,
  isAtLeast,
  type CopyCommand,
  type CopyContext,
  type LogClass,
  type RemoteCommands,
  type Tool,
  type ToolVersion,
  type VersionFloor,
} from './tool.ts'

/** `--files-from-raw` and `check --match` came with 1.52. */
export const rcloneFloor = { major: 1, minor: 52 }
const metadataFloor = { major: 1, minor: 59 }
/** From 1.63 on a file has its final name only when it is whole. */
const partialNamesFloor = { major: 1, minor: 63 }
const chunkedCopyFloor = { major: 1, minor: 64 }

/**
 * What operators of large clusters run with, bounded: their buffers of 128 MiB for each of 32 transfers are 4 GiB, and
 * 24 streams with chunks of 128 MiB as much again per file. Between disks the kernel reads ahead, so less is enough.
 */
const tuning = {
  disks: { transfers: 16, checkers: 16, bufferMi: 16 },
  remote: { transfers: 32, checkers: 24, bufferMi: 32 },
} as const
const multiThread = { streams: 8, cutoffGi: 4, chunkMi: 64 } as const
const s3Parts = { chunkMi: 32, atOnce: 4, max: 10_000 } as const
/** Of the parts of one upload that are under way: so much a large chunk may take, too. */
const PARTS_MI_MAX = 512

/**
 * An upload has 10,000 parts at most, so that larger files need larger ones: 525 MiB for the 5 TiB that S3 takes. rclone makes
 * them larger by itself where it knows a size, but nobody could count its memory before.
 */
function s3PartsFor(largestBytes: number): { readonly chunkMi: number; readonly atOnce: number } {
  const chunkMi = Math.max(s3Parts.chunkMi, Math.ceil(largestBytes / s3Parts.max / 2 ** 20))
  return { chunkMi, atOnce: Math.max(1, Math.min(s3Parts.atOnce, Math.floor(PARTS_MI_MAX / chunkMi))) }
}

function isLocal(location: Location): boolean {
  return location.kind === 'local'
}

function tuningFlags({ version, source, destination, largestBytes = 0 }: CopyContext): readonly string[] {
  const [from, to] = [source.root, destination.root]
  const onDisks = isLocal(from) && isLocal(to)
  const { transfers, checkers, bufferMi } = onDisks ? tuning.disks : tuning.remote
  const flags = [`--transfers=${transfers}`, `--checkers=${checkers}`, `--buffer-size=${bufferMi}Mi`]
  if (!onDisks) {
    const { chunkMi, atOnce } = s3PartsFor(largestBytes)
    flags.push(`--s3-chunk-size=${chunkMi}Mi`, `--s3-upload-concurrency=${atOnce}`)
  }
  if (isAtLeast(version, chunkedCopyFloor))
    flags.push(
      `--multi-thread-streams=${multiThread.streams}`,
      `--multi-thread-cutoff=${multiThread.cutoffGi}Gi`,
      `--multi-thread-chunk-size=${multiThread.chunkMi}Mi`,
    )
  return flags
}

/** Half a file can stand there, as against a store that shows an object when it is whole. */
function writesFiles({ kind }: Location): boolean {
  return kind === 'local' || kind === 'ssh'
}

/**
 * Before 1.63 a copy in several streams makes the file under its final name with its full size at once: broken off,
 * it has holes and passes for whole wherever sizes are compared. So there are no streams, whatever the user wrote.
 */
function safetyFlags(version: ToolVersion, to: Location): readonly string[] {
  return writesFiles(to) && !isAtLeast(version, partialNamesFloor) ? ['--multi-thread-streams=0'] : []
}

/**
 * The plan's own numbers give way to what the places bear. On S3 each transfer may have several connections, unless it
 * is told otherwise; over SFTP it has one.
 */
function connectionFlags({
  transfer,
  source,
  destination,
  connectionsPerWorker,
}: CopyContext): readonly string[] {
  if (connectionsPerWorker === undefined) return []
  const share = rcloneShare(connectionsPerWorker)
  const within = (name: 'transfers' | 'checkers'): string => {
    const asked = transfer.options.rclone?.[name]
    return `--${name}=${typeof asked === 'number' && asked > 0 ? Math.min(asked, share[name]) : share[name]}`
  }
  const isS3 = [source.root, destination.root].some(({ kind }) => kind === 's3')
  const single = isS3 ? ['--s3-upload-concurrency=1', '--multi-thread-streams=0'] : []
  return [within('transfers'), within('checkers'), ...single]
}

function policyFlags({ transfer }: CopyContext): readonly string[] {
  const flags: string[] = []
  // A shard holds only what is known to differ, so size and time decide, and a second attempt skips what has arrived.
  if (transfer.compare === 'checksum') flags.push('--checksum')
  if (transfer.existing === 'keep' || transfer.existing === 'error') flags.push('--ignore-existing')
  if (transfer.existing === 'keep-newer') flags.push('--update')
  return flags
}

function copyCommand(context: CopyContext): CopyCommand {
  const { transfer, version, source, destination, bandwidthPerWorker } = context
  const [from, to] = [source.root, destination.root]
  const onDisks = isLocal(from) && isLocal(to)
  const knowsMetadata = onDisks && isAtLeast(version, metadataFloor)
  const single = singlePlaces(source, destination)
  return {
    program: context.program ?? 'rclone',
    args: [
      single === undefined ? 'copy' : 'copyto',
      ...rcloneConfigFlags(from, to),
      '--no-unicode-normalization',
      // Between disks it would read both files a second time, one after another, for hashes that nobody keeps: five
      // times as long for large files (1.60.1). Contents are proven by the verify stage, where the plan asks for it.
      ...(onDisks ? ['--no-traverse', '--ignore-checksum'] : []),
      ...(transfer.symlinks === 'follow' && isLocal(from) ? ['--copy-links'] : []),
      ...(translatesLinks(transfer, from, to) ? ['--links'] : []),
      '--retries=1',
      '--use-json-log',
      '--stats=10s',
      '--stats-one-line',
      '--stats-log-level=NOTICE',
      // After each upload it would ask for the object once more: half of all requests. Sums of what was sent go along with
      // it, and the worker looks at all of a shard in one listing.
      ...(to.kind === 's3' ? ['--s3-no-head'] : []),
      ...tuningFlags(context),
      ...policyFlags(context),
      ...(bandwidthPerWorker === undefined
        ? []
        : [`--bwlimit=${Math.max(1, Math.floor(bandwidthPerWorker))}B`]),
      ...optionFlags(transfer, version),
      ...connectionFlags(context),
      ...safetyFlags(version, to),
    ],
    // As another user than root, rclone fails a whole file whose owner it cannot set (measured: 1.60.1 and 1.75.2).
    argsAsRoot: knowsMetadata ? ['--metadata'] : [],
    listFlag: '--files-from-raw',
    callsAtOnce: 1,
    source: rcloneFolder(from),
    destination: rcloneFolder(to),
    ...(single === undefined ? {} : { single }),
    setsModes: !(namesAreBytes(from) && namesAreBytes(to)),
    writesInPlace: writesFiles(to) && !isAtLeast(version, partialNamesFloor),
    needs: highest([
      rcloneFloor,
      ...(knowsMetadata ? [metadataFloor] : []),
      ...optionFloors(transfer, version),
    ]),
  }
}

/** What this version does less well than a newer one, whatever the plan says; undefined for one that does all. */
export function rcloneLimit(
  version: ToolVersion,
): { readonly floor: VersionFloor; readonly what: string } | undefined {
  return isAtLeast(version, partialNamesFloor)
    ? undefined
    : {
        floor: partialNamesFloor,
        what: 'copies each large file to a disk or a server in one stream, because several could leave half of it under its final name',
      }
}

/** rclone's own ten take a minute and a half where nobody answers (1.60.1 and 1.75.2); a worker comes again anyway. */
const LOOK_RETRIES = 5

/** Commands for a remote beside copying. Upload times (`--use-server-modtime`) tell only whether an object was written again. */
export function rcloneLookCommands(context: CopyContext): RemoteCommands {
  const { transfer, source, destination } = context
  const program = context.program ?? 'rclone'
  const common = [
    ...rcloneConfigFlags(source.root, destination.root),
    '--no-unicode-normalization',
    '--retries=1',
    `--low-level-retries=${Math.min(LOOK_RETRIES, Number(transfer.options.rclone?.['low-level-retries'] ?? LOOK_RETRIES))}`,
  ]
  const links = translatesLinks(transfer, source.root, destination.root)
    ? ['--links']
    : transfer.symlinks === 'follow'
      ? ['--copy-links']
      : []
  const list = [program, 'lsf', ...common, ...links, '--recursive', '--files-only', '--separator= ']
  return {
    version: [program, 'version'],
    needs: rcloneFloor,
    source: rcloneFolder(source.root),
    destination: rcloneFolder(destination.root),
    list,
    listUploads: [...list, '--use-server-modtime'],
    check: [program, 'check', ...common, ...links, '--one-way', '--checkers=16'],
    read: [program, 'cat', ...common],
    remove: [program, 'delete', ...common, `--checkers=${deletesAtOnce(context)}`],
  }
}

/** rclone deletes with as many requests at once as it has checkers. */
const DELETES_AT_ONCE_MAX = 32

function deletesAtOnce({ connectionsPerWorker }: CopyContext): number {
  return Math.max(1, Math.min(DELETES_AT_ONCE_MAX, connectionsPerWorker ?? DELETES_AT_ONCE_MAX))
}

/**
 * Memory that one worker's rclone may take, bytes, an upper bound from its buffers: read-ahead per transfer, parts
 * of uploads, and streams of large files. For the preview and for `memory:`.
 */
export function rcloneMemoryBytes(context: CopyContext): number {
  const { version, source, destination, largestBytes = 0 } = context
  const onDisks = isLocal(source.root) && isLocal(destination.root)
  const { transfers, bufferMi } = onDisks ? tuning.disks : tuning.remote
  const { chunkMi, atOnce } = s3PartsFor(largestBytes)
  const parts = isLocal(destination.root) ? 0 : chunkMi * atOnce
  const streams =
    isAtLeast(version, chunkedCopyFloor) && !isLocal(destination.root)
      ? multiThread.streams * multiThread.chunkMi
      : 0
  const processMi = 128
  return (processMi + transfers * (bufferMi + Math.max(parts, streams))) * 2 ** 20
}

function listEntry(path: Uint8Array, from: Location): Uint8Array {
  const name = isLocal(from) ? encodeRcloneName(path) : path
  const entry = new Uint8Array(name.length + 1)
  entry.set(name)
  entry[name.length] = 0x0a
  return entry
}

/** From the last statistics object in the JSON log. */
function progress(logTail: string): number | undefined {
  const last = [...logTail.matchAll(/"stats":\{"bytes":(\d+)/g)].at(-1)?.[1]
  return last === undefined ? undefined : Number(last)
}

const causes: readonly (readonly [LogClass, RegExp])[] = [
  ['usage', /unknown (?:flag|shorthand flag|command)|Usage:/],
  ['no-space', /no space left|quota exceeded|not enough space|remaining disk space/i],
  ['denied', /permission denied|AccessDenied|access denied|read-only file system|operation not permitted/i],
  ['changed', /source file is being updated/],
  ['throttled', /SlowDown|TooManyRequests|rate ?limit|\b429\b/i],
  [
    'unreachable',
    /no such host|connection refused|connection reset|i\/o timeout|no route to host|TLS handshake/i,
  ],
]

function classifyLog(logTail: string): LogClass {
  return causes.find(([, pattern]) => pattern.test(logTail))?.[0] ?? 'unknown'
}

export const rclone: Tool = {
  name: 'rclone',
  carries: () => true,
  leavesSymlinks: true,
  copyCommand,
  listEntry,
  progress,
  classifyLog,
}
