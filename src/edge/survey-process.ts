/** Runs a lister as a child process: stdout as a stream of chunks, stderr as a bounded list of lines. */

import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { printable } from '../inventory/printable.ts'
import { killGroup } from './kill-group.ts'
import type { Argv } from './process.ts'

/** Lines of stderr kept; all are counted. */
export const LINES_KEPT = 20
/** Longest line of stderr kept, bytes: a path and a few words. */
const LINE_BYTES_MAX = 8192

export interface ListingRequest {
  readonly argv: Argv
  /** The folder it is started in; else ours. */
  readonly cwd?: string
  /** What it reads on stdin, or who writes that; else nothing. */
  readonly input?: Buffer | ((stdin: Writable) => void)
  /** The whole environment of the child; `LC_ALL=C` and `TZ=UTC` are added. */
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Called with each chunk of stdout; what it returns is waited for. */
  readonly onChunk: (chunk: Buffer) => Promise<void> | undefined
  /** Makes a line of stderr (latin1) into an error worth naming; undefined when it is none. */
  readonly readError: (line: string) => string | undefined
}

export interface ListingEnd {
  /** Undefined when it was ended by a signal or never started. */
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  /** Why it never started, such as `ENOENT`. */
  readonly spawnError: string | undefined
  /** The errors it named on stderr; `lines` are printable. */
  readonly errors: { readonly count: number; readonly lines: readonly string[] }
}

/** Collects lines of raw bytes; only the first few are kept. */
async function collectLines(
  stream: Readable,
  readError: ListingRequest['readError'],
): Promise<ListingEnd['errors']> {
  const lines: string[] = []
  let count = 0
  let rest = ''
  const take = (line: string): void => {
    const error = line === '' ? undefined : readError(line)
    if (error === undefined) return
    count++
    if (lines.length < LINES_KEPT) lines.push(printable(error))
  }
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const parts = (rest + chunk.toString('latin1')).split('\n')
    rest = (parts.pop() ?? '').slice(0, LINE_BYTES_MAX)
    parts.forEach(take)
  }
  take(rest)
  return { count, lines }
}

/**
 * Runs the lister to its end. On abort the child is ended and the signal's reason is thrown; so is what `onChunk`
 * throws. Nothing else is: how it ended is in the answer.
 */
export async function runListing(request: ListingRequest): Promise<ListingEnd> {
  const [program, ...args] = request.argv
  request.signal.throwIfAborted()
  const { cwd, input } = request
  const options = {
    ...(cwd === undefined ? {} : { cwd }),
    // A group of its own: what goes by the lister's name may be a script that starts the real one.
    detached: true,
    env: { ...request.env, LC_ALL: 'C', TZ: 'UTC' },
  }
  // Node's pipes are sockets: a script in bash that reads from one takes itself for a remote login, with all its ado.
  const child =
    input === undefined
      ? spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  let spawnError: string | undefined
  let isClosed = false
  const closed = new Promise<{ exitCode: number | undefined; signal: string | undefined }>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      spawnError ??= error.code ?? error.message
    })
    child.once('close', (exitCode, signal) => {
      isClosed = true
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined })
    })
  })
  const stop = (): void => {
    if (!isClosed) killGroup(child.pid)
  }
  request.signal.addEventListener('abort', stop, { once: true })
  // Whoever ends without reading all of it says so in another way.
  child.stdin?.on('error', () => undefined)
  if (typeof input !== 'function') child.stdin?.end(input)
  else if (child.stdin !== null) input(child.stdin)
  try {
    const errors = collectLines(child.stderr, request.readError)
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const pending = request.onChunk(chunk)
      if (pending !== undefined) await pending
    }
    const ended = await closed
    request.signal.throwIfAborted()
    return {
      ...ended,
      ...(spawnError === undefined ? {} : { exitCode: undefined }),
      spawnError,
      errors: await errors,
    }
  } finally {
    request.signal.removeEventListener('abort', stop)
    stop()
    await closed
  }
}
