/** Runs several listings at once and hands their chunks on as if they had run one after another. */

import { EventEmitter, once } from 'node:events'
import { LINES_KEPT, runListing, type ListingEnd, type ListingRequest } from './survey-process.ts'

/**
 * What may wait in memory for its turn, bytes: some 200,000 entries, so that the others go on while one directory of
 * that size is shown. More was not quicker, and would be taken from what planning needs.
 */
const WAITING_BYTES_MAX = 16 * 2 ** 20

/** What one listing of several has for itself. */
export interface ListingPart extends Pick<ListingRequest, 'argv' | 'cwd' | 'input' | 'readError'> {
  /** How it ends when it has named on stderr what it could not list, and listed the rest. */
  readonly partialCode: number
}

export interface ListingQueue extends Omit<ListingRequest, keyof ListingPart | 'onChunk'> {
  /** As a listing's own; told whose chunk it is. */
  onChunk(chunk: Buffer, part: ListingPart): Promise<void> | undefined
  /** How many run at the same time. */
  readonly atOnce: number
}

export interface Listed {
  /** In the order of the parts. */
  readonly errors: ListingEnd['errors']
  /** The part that neither listed all nor said what is missing. */
  readonly broken: ListingEnd | undefined
}

/** What a part has said and nobody has taken yet. */
interface Line {
  readonly part: ListingPart
  readonly chunks: Buffer[]
  end: ListingEnd | undefined
}

/** Nothing, or errors that it named. */
function isWhole(end: ListingEnd, partialCode: number): boolean {
  return end.exitCode === 0 || (end.exitCode === partialCode && end.errors.count > 0)
}

/** Several listings' errors as those of one. */
export function joinErrors(all: readonly ListingEnd['errors'][]): ListingEnd['errors'] {
  const count = all.reduce((sum, errors) => sum + errors.count, 0)
  return { count, lines: all.flatMap(({ lines }) => lines).slice(0, LINES_KEPT) }
}

/**
 * Shows the chunks of all parts in the order of the parts, whichever is ready first. A part that breaks, or that ends
 * within a record, ends all others, and nothing behind it is shown: no record is made of two halves. On abort all are
 * ended and the signal's reason is thrown; so is what `onChunk` throws.
 */
export async function runListings(parts: readonly ListingPart[], queue: ListingQueue): Promise<Listed> {
  const lines = parts.map((part): Line => ({ part, chunks: [], end: undefined }))
  const moves = new EventEmitter()
  const control = new AbortController()
  const { signal } = control
  const abort = (): void => {
    control.abort(queue.signal.reason)
  }
  let started = 0
  let waitingBytes = 0
  let stopped: Listed | undefined

  const stop = (at: Listed): never => {
    stopped ??= at
    control.abort()
    throw new DOMException('a part is not whole', 'AbortError')
  }
  const put = async (line: Line, chunk: Buffer): Promise<void> => {
    line.chunks.push(chunk)
    waitingBytes += chunk.length
    moves.emit('move')
    // One chunk each may always wait: the part whose turn it is never stands still for those that wait for it.
    while (waitingBytes > WAITING_BYTES_MAX && line.chunks.length > 1 && !signal.aborted)
      await once(moves, 'move')
  }
  // Started in their order, so that the part whose turn it is runs, or all before it have ended and it is next.
  const work = async (): Promise<void> => {
    for (let line = lines[started++]; line !== undefined; line = lines[started++]) {
      const { part } = line
      const end = await runListing({ ...queue, ...part, signal, onChunk: put.bind(undefined, line) })
      if (!isWhole(end, part.partialCode)) stop({ errors: end.errors, broken: end })
      line.end = end
      moves.emit('move')
    }
  }
  const take = async (): Promise<Listed> => {
    const errors: ListingEnd['errors'][] = []
    for (const line of lines) {
      let lastByte = 0
      while (line.end === undefined || line.chunks.length > 0) {
        signal.throwIfAborted()
        const chunk = line.chunks.shift()
        if (chunk === undefined) await once(moves, 'move')
        if (chunk === undefined) continue
        waitingBytes -= chunk.length
        lastByte = chunk.at(-1) ?? 0
        moves.emit('move')
        const pending = queue.onChunk(chunk, line.part)
        if (pending !== undefined) await pending
      }
      if (lastByte !== 0) stop({ errors: line.end.errors, broken: undefined })
      errors.push(line.end.errors)
    }
    return { errors: joinErrors(errors), broken: undefined }
  }
  queue.signal.throwIfAborted()
  queue.signal.addEventListener('abort', abort, { once: true })
  signal.addEventListener('abort', () => moves.emit('move'), { once: true })
  const taking = take()
  const all = [taking, ...Array.from({ length: Math.min(queue.atOnce, parts.length) }, work)]
  try {
    await Promise.all(all)
    return await taking
  } catch (error) {
    control.abort()
    await Promise.allSettled(all)
    queue.signal.throwIfAborted()
    if (stopped === undefined) throw error
    return stopped
  } finally {
    queue.signal.removeEventListener('abort', abort)
  }
}
