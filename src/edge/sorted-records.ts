/** Sorts NUL-terminated records outside of this process, however many there are. */

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { failWith, ok, type Result } from '../diagnostic.ts'
import { Bug } from '../units.ts'

/** sort's own memory; what is more goes into files. */
const BUFFER = '128M'
const ERROR_CHARS_MAX = 2000
/** Records are handed over in blocks: each hand-over is a trip through a pipe. */
const BLOCK_BYTES = 64 * 1024

export interface SortOptions {
  /** The first of the fields that count, from 1; single spaces stand between them. It goes to the end of the record. */
  readonly fromField: number
  /** Where sort may put what it can not keep in memory. */
  readonly folder: string
  readonly path: string | undefined
  readonly signal: AbortSignal
}

/** First all records go in, then they come out in the order of their bytes. */
export class SortedRecords {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  private readonly closed: Promise<number | undefined>
  private readonly chunks: AsyncIterator<Buffer>
  private coming: Promise<IteratorResult<Buffer>>
  private readonly folder: string
  private stderr = ''
  private block: Buffer[] = []
  private blockBytes = 0
  private chunk: Buffer = Buffer.alloc(0)
  private at = 0

  constructor(options: SortOptions) {
    this.folder = options.folder
    const args = ['-z', '-t', ' ', '-k', String(options.fromField), '-S', BUFFER, '-T', options.folder]
    this.child = spawn('sort', args, {
      env: { LC_ALL: 'C', ...(options.path === undefined ? {} : { PATH: options.path }) },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
      killSignal: 'SIGKILL',
    })
    this.closed = new Promise((resolve) => {
      this.child.once('close', (code) => {
        resolve(code ?? undefined)
      })
    })
    this.child.on('error', (error) => {
      this.stderr ||= error.message
    })
    // A sort that has ended says why on stderr.
    this.child.stdin.on('error', () => undefined)
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(0, ERROR_CHARS_MAX)
    })
    this.chunks = (this.child.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
    // Asked for at once: what nobody waits for when the process ends, Node throws away.
    this.coming = this.chunks.next()
    this.coming.catch(() => undefined)
  }

  /** The bytes are copied. */
  add(...parts: readonly Uint8Array[]): void {
    const record = Buffer.concat([...parts, nul])
    this.block.push(record)
    this.blockBytes += record.length
    if (this.blockBytes >= BLOCK_BYTES) this.flush()
  }

  /** Undefined: go on. Else wait for it before adding more: sort is behind. */
  pressure(): Promise<void> | undefined {
    const { stdin } = this.child
    if (!stdin.writableNeedDrain || stdin.destroyed) return undefined
    const drained = new Promise<void>((resolve) => {
      stdin.once('drain', resolve)
    })
    return Promise.race([drained, this.closed.then(() => undefined)])
  }

  /** No more records go in. */
  end(): void {
    this.flush()
    this.child.stdin.end()
  }

  private flush(): void {
    if (!this.child.stdin.destroyed) this.child.stdin.write(Buffer.concat(this.block))
    this.block = []
    this.blockBytes = 0
  }

  /** The next record without its NUL; undefined when there is none, and `failure` says whether that was all. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.chunk.indexOf(0, this.at)
      if (end >= 0) {
        const record = this.chunk.subarray(this.at, end)
        this.at = end + 1
        return record
      }
      const more = await this.coming
      if (more.done === true) return undefined
      this.coming = this.chunks.next()
      this.coming.catch(() => undefined)
      this.chunk = Buffer.concat([this.chunk.subarray(this.at), more.value])
      this.at = 0
    }
  }

  /** How it ended. Fails SX354. */
  async check(): Promise<Result<undefined>> {
    const code = await this.closed
    if (code === 0) return ok(undefined)
    return failWith(
      'SX354',
      `cannot compare the names of source and destination: sort ${code === undefined ? 'was ended' : `ended with exit code ${code}`}`,
      `See that GNU sort is on PATH and that there is room in ${this.folder}, or name another folder with --state DIR; then plan again.`,
      this.stderr.trim() === '' ? undefined : this.stderr.trim(),
    )
  }

  /** Ends it, whatever it is doing. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.closed
  }
}

const nul = Buffer.from([0])

/** The part of a record behind so many single spaces. */
export function fieldFrom(record: Buffer, field: number): Buffer {
  let at = 0
  for (let seen = 1; seen < field; seen++) {
    at = record.indexOf(0x20, at) + 1
    if (at === 0) throw new Bug(`a record without field ${field}`)
  }
  return record.subarray(at)
}
