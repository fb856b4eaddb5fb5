/** Asks rclone about a remote, and lists it as a stream of the records that a local listing has. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import { createLsjsonReader, readHashedLine, type LinkOf } from '../inventory/lsjson.ts'
import type { BytesLocation, Location } from '../plan/plan.ts'
import { placeText, rcloneConfigFlags, rclonePlace } from '../tools/rclone-place.ts'
import { millis } from '../units.ts'
import type { ListingErrors } from './list-local.ts'
import { run, type Argv, type ProcessFailure } from './process.ts'
import { s3Failure } from './s3-trouble.ts'
import { runListing, type ListingEnd } from './survey-process.ts'

/** A place that only rclone can look at. */
export type RcloneLocation = Exclude<Location, BytesLocation>

export interface RemoteContext {
  readonly location: RcloneLocation
  readonly rclonePath: string
  readonly env: Readonly<Record<string, string>>
  /** Keys for S3 stand in the environment of the shell; they are not in `env`, because no job gets them. */
  readonly shellKeys?: boolean
  readonly signal: AbortSignal
}

/** Longest wait for an answer about one remote: a server that is slow to let us in, not a listing. */
const QUESTION_TIMEOUT = millis(120_000)

/**
 * A question is put twice, not ten times ten times, which takes minutes where nobody answers: a person waits for it. What
 * happens under way is another matter.
 */
const IMPATIENT = ['--retries=1', '--low-level-retries=2', '--contimeout=15s', '--timeout=60s']

/** rclone's exit code for a directory that is not there. */
const NO_DIRECTORY = 3
const NO_FILE = 4

function rcloneArgv({ location, rclonePath }: RemoteContext, ...args: readonly string[]): Argv {
  return [rclonePath, ...args, ...rcloneConfigFlags(location), rclonePlace(location)]
}

/** An error about one name or directory, not the summary at the end. */
function readError(line: string): string | undefined {
  if (line.includes('Failed to lsjson')) return undefined
  return / (ERROR|CRITICAL|Failed)\b/.test(line) ? lastWords(line) : undefined
}

/** The last message, without rclone's date in front; those of S3 in older versions go over several lines. */
function lastWords(stderr: string): string {
  const dated = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /
  const lines = stderr.trim().split('\n')
  const start = lines.findLastIndex((line) => dated.test(line))
  return lines
    .slice(start < 0 ? -1 : start)
    .join(' ')
    .replace(dated, '')
    .replaceAll(/\s+/g, ' ')
}

function remoteFailure(context: RemoteContext, failure: ProcessFailure): ReturnType<typeof failWith> {
  context.signal.throwIfAborted()
  if (failure.kind === 'missing')
    return failWith(
      'SX208',
      `there is no rclone at ${context.rclonePath}`,
      'Install rclone, or name it in the plan: tools: { rclone: { path: … } }.',
    )
  if (context.location.kind === 's3') {
    const said = failure.kind === 'timeout' ? 'it did not answer' : failure.stderr
    const known = s3Failure(context.location, said, context.shellKeys === true)
    if (known !== undefined) return known
  }
  const why = failure.kind === 'timeout' ? 'it did not answer in two minutes' : lastWords(failure.stderr)
  return failWith(
    'SX206',
    `cannot look at ${placeText(context.location)}: ${why}`,
    context.location.kind === 'rclone'
      ? `Try \`rclone lsf ${context.location.remote}:\` by hand, and mend the remote's entry in rclone.conf.`
      : `Correct the endpoint ${context.location.endpoint} in the plan; by hand: \`rclone lsf '${rclonePlace(context.location)}'\`.`,
  )
}

/** What a remote can tell without a request per object. */
export interface RemoteTraits {
  /** Upper and lower case are one to it. */
  readonly ignoresCase: boolean
  /** Listings carry modification times that were set by whoever copied, to the second at least. */
  readonly mtimeIsFree: boolean
}

/**
 * Reads `rclone backend features`: a remote whose times cost a request per object says `SlowModTime`, one that keeps
 * none has a precision of a hundred years. An rclone too old for the question (before 1.59) counts as "not free".
 */
export async function askTraits(context: RemoteContext): Promise<Result<RemoteTraits>> {
  const { kind } = context.location
  // Known beforehand; rclone takes half a second of two processors to say it.
  if (kind === 's3' || kind === 'sftp') return ok({ mtimeIsFree: kind === 'sftp', ignoresCase: false })
  const argv = rcloneArgv(context, 'backend', 'features')
  const answer = await run(argv, { timeoutMillis: QUESTION_TIMEOUT, env: context.env, stop: context.signal })
  if (!answer.ok) {
    if (answer.error.stderr.includes('command not found'))
      return ok({ mtimeIsFree: false, ignoresCase: false })
    return remoteFailure(context, answer.error)
  }
  return ok(traitsIn(answer.value.stdout))
}

function traitsIn(json: string): RemoteTraits {
  try {
    const { Precision, Features } = JSON.parse(json) as {
      Precision?: unknown
      Features?: { SlowModTime?: unknown; CaseInsensitive?: unknown }
    }
    return {
      mtimeIsFree: Features?.SlowModTime === false && typeof Precision === 'number' && Precision <= 1e9,
      ignoresCase: Features?.CaseInsensitive === true,
    }
  } catch {
    return { mtimeIsFree: false, ignoresCase: false }
  }
}

/** What stands at a remote path. `name` is a file's own name. */
export type RemoteSort =
  { readonly sort: 'absent' | 'directory' } | { readonly sort: 'file'; readonly name: string }

/** One question, `lsjson --stat`: is there a directory, a file, or nothing. */
export async function askSort(context: RemoteContext): Promise<Result<RemoteSort>> {
  const argv = rcloneArgv(context, 'lsjson', '--stat', '--no-modtime', '--no-mimetype', ...IMPATIENT)
  const answer = await run(argv, { timeoutMillis: QUESTION_TIMEOUT, env: context.env, stop: context.signal })
  if (!answer.ok) {
    const { exitCode } = answer.error
    // A prefix is always a directory to rclone, so that what it does not find on S3 is the bucket.
    if (context.location.kind !== 's3' && (exitCode === NO_DIRECTORY || exitCode === NO_FILE))
      return ok({ sort: 'absent' })
    return remoteFailure(context, answer.error)
  }
  try {
    const item = JSON.parse(answer.value.stdout) as { IsDir?: unknown; Name?: unknown } | null
    if (item === null) return ok({ sort: 'absent' })
    if (item.IsDir === true) return await askInside(context)
    if (item.IsDir === false && typeof item.Name === 'string') return ok({ sort: 'file', name: item.Name })
  } catch {
    // Falls through: no answer is an answer that makes no sense.
  }
  return failWith(
    'SX207',
    `rclone's answer about ${placeText(context.location)} makes no sense`,
    'Run soxplan with an rclone of 1.59 or newer.',
  )
}

/** Whatever has no object of its own is a directory to S3, so it is one only where something stands in it. */
async function askInside(context: RemoteContext): Promise<Result<RemoteSort>> {
  const { location, env, signal } = context
  if (location.kind !== 's3' || location.path === '') return ok({ sort: 'directory' })
  const enough = new AbortController()
  const isFilled = (): boolean => enough.signal.aborted
  try {
    const ended = await runListing({
      argv: rcloneArgv(context, 'lsf', '-R'),
      env,
      signal: AbortSignal.any([signal, enough.signal]),
      readError,
      onChunk() {
        enough.abort()
        return undefined
      },
    })
    if (ended.exitCode !== 0 && !isFilled()) return listingFailure(context, ended, ['lsf', '-R'])
  } catch (error) {
    signal.throwIfAborted()
    if (!isFilled()) throw error
  }
  return ok({ sort: isFilled() ? 'directory' : 'absent' })
}

function timeFlags(times: boolean | 'of the service'): readonly string[] {
  if (times === true) return []
  return times === false ? ['--no-modtime'] : ['--use-server-modtime']
}

function listingFailure(
  context: RemoteContext,
  { errors, exitCode, signal, spawnError }: ListingEnd,
  args: readonly string[],
): ReturnType<typeof failWith> {
  return remoteFailure(context, {
    argv: rcloneArgv(context, ...args),
    kind: spawnError === undefined ? 'exit' : 'missing',
    exitCode,
    stdout: '',
    stderr: errors.lines.join('\n') || (signal ?? 'it ended in the middle of the listing'),
  })
}

/**
 * Streams every entry below a remote path, or the one file that it is. No request per object: no MIME types, and
 * times only when `times` asks for them; those of the service say when an object was last written, and are free. `linkOf` makes symlinks of some files. Fails SX206 when the listing is not whole, SX207 when it is no listing.
 */
export async function listRemote(
  context: RemoteContext,
  times: boolean | 'of the service',
  onChunk: (records: Buffer) => Promise<void> | undefined,
  linkOf?: LinkOf,
): Promise<Result<ListingErrors>> {
  const reader = createLsjsonReader(linkOf)
  let badLine: number | undefined
  const args = ['lsjson', '-R', '--no-mimetype', ...timeFlags(times)]
  const ended = await runListing({
    argv: rcloneArgv(context, ...args),
    env: context.env,
    signal: context.signal,
    readError,
    onChunk(chunk) {
      if (badLine !== undefined) return undefined
      const read = reader.push(chunk)
      if ('records' in read) return onChunk(read.records)
      badLine = read.badLine
      return undefined
    },
  })
  const place = placeText(context.location)
  if (badLine !== undefined)
    return failWith(
      'SX207',
      `line ${badLine} of rclone's listing of ${place} is no entry`,
      'Run soxplan with an rclone of 1.59 or newer.',
    )
  if (ended.exitCode === 0 && reader.isComplete()) return ok(ended.errors)
  // A directory that can not be read is named and the rest is listed; without a name nothing is known to be whole.
  if (ended.exitCode !== undefined && reader.isComplete() && ended.errors.count > 0) return ok(ended.errors)
  return listingFailure(context, ended, args)
}

/**
 * Tells the MD5 of each file whose last name is as `pattern`, an rclone filter. Where a service lists no hashes rclone may
 * read or ask for each of these files. Fails as `listRemote`.
 */
export async function listHashes(
  context: RemoteContext,
  pattern: string,
  onEntry: (path: string, md5: string | undefined) => void,
): Promise<Result<undefined>> {
  let rest = ''
  let lastLine = ''
  const args = ['lsjson', '-R', '--files-only', '--no-modtime', '--no-mimetype']
  const hashed = [...args, '--hash', '--hash-type=md5', `--include=${pattern}`]
  const decoder = new TextDecoder()
  const ended = await runListing({
    argv: rcloneArgv(context, ...hashed),
    env: context.env,
    signal: context.signal,
    readError,
    onChunk(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const entry = readHashedLine(line.trim())
        if (entry !== undefined) onEntry(entry.path, entry.md5)
        lastLine = line.trim()
      }
      return undefined
    },
  })
  // An entry that can not be read is named by the listing of everything.
  if (ended.exitCode !== undefined && [lastLine, rest.trim()].includes(']')) return ok(undefined)
  return listingFailure(context, ended, hashed)
}
