/** Manifests on disk: written in one pass under a temporary name, read again by whoever makes shard lists. */

import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { constants, createGunzip, createGzip } from 'node:zlib'
import type { Gzip } from 'node:zlib'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { isWorkFate, type RecordView } from '../inventory/entry.ts'
import { manifestHead, recordLength, writeRecord } from '../inventory/manifest.ts'
import { createScanner } from '../inventory/scan.ts'
import { isSystemError, syncFolder, systemReason } from './files.ts'

/** Bytes handed to gzip and to the file at a time: each hand-over is a trip through the thread pool. */
const BLOCK_BYTES = 256 * 1024
/** Listings are the same few words over and over: higher levels take twice the time for a few percent. */
const GZIP_LEVEL = 1
/** A valid gzip file without the work of it. */
const STORED_LEVEL = 0
/**
 * So much is held until something turns up that is to be done. Where nothing does, most listings are thrown away right
 * after, and pressing them together was a tenth of an apply that finds nothing to do.
 */
const HELD_BYTES_MAX = 32 * 1024 * 1024

export interface ManifestWriter {
  /** Takes the record now, from the view's own memory. */
  add(view: RecordView, fateByte: number): void
  /** Undefined: go on. Else wait for it before adding more: the disk is behind. Never rejects; `close` tells a failure. */
  pressure(): Promise<void> | undefined
  /** Flushes, syncs and gives the file its name. Fails SX321 when the file could not be written. */
  close(): Promise<Result<{ entries: number }>>
  /** Gives up and removes what was written. */
  discard(): Promise<void>
}

/** gzip in front of a file. A failure of either ends both and is kept, never thrown. */
interface GzipFile {
  readonly gzip: Gzip
  failure: Error | undefined
  /** Resolves once the file is closed, whatever happened. */
  readonly closed: Promise<void>
  destroy(): void
}

/** Compressed and on the disk for good when closed; or neither, for what nothing will depend on. */
function openGzipFile(file: string, isKept: boolean): GzipFile {
  const gzip = createGzip({ level: isKept ? GZIP_LEVEL : STORED_LEVEL, chunkSize: BLOCK_BYTES })
  const disk = createWriteStream(file, { mode: 0o600, highWaterMark: 4 * BLOCK_BYTES, flush: isKept })
  const destroy = (): void => {
    gzip.destroy()
    disk.destroy()
  }
  const opened: GzipFile = {
    gzip,
    failure: undefined,
    closed: new Promise((resolve) => {
      disk.once('close', resolve)
    }),
    destroy,
  }
  for (const stream of [gzip, disk]) {
    stream.on('error', (error: Error) => {
      opened.failure ??= error
      destroy()
    })
  }
  gzip.pipe(disk)
  return opened
}

/** Starts a manifest. The file stands under its name only once `close` has succeeded. */
export function createManifestWriter(file: string): ManifestWriter {
  return new Writing(file)
}

class Writing implements ManifestWriter {
  private readonly file: string
  private readonly temporary: string
  private output: GzipFile | undefined
  private held: Buffer[] = [manifestHead]
  private block = Buffer.allocUnsafe(BLOCK_BYTES)
  private filled = 0
  private entries = 0
  private hasWork = false

  constructor(file: string) {
    this.file = file
    this.temporary = `${file}.part`
  }

  add(view: RecordView, fateByte: number): void {
    const length = recordLength(view)
    if (this.filled + length > this.block.length) this.flush()
    // Longer than a block only with a path that no tool can open; it is still an entry.
    if (length > this.block.length) this.block = Buffer.allocUnsafe(length)
    this.filled = writeRecord(view, fateByte, this.block, this.filled)
    this.entries++
    this.hasWork ||= isWorkFate(fateByte)
  }

  pressure(): Promise<void> | undefined {
    const { output } = this
    if (output?.gzip.writableNeedDrain !== true || output.failure !== undefined) return undefined
    return new Promise((resolve) => {
      output.gzip.once('drain', resolve)
      void output.closed.then(resolve)
    })
  }

  async close(): Promise<Result<{ entries: number }>> {
    this.flush()
    const output = this.open(this.hasWork)
    if (output.failure === undefined) output.gzip.end()
    await output.closed
    try {
      if (output.failure !== undefined) throw output.failure
      await rename(this.temporary, this.file)
      if (this.hasWork) await syncFolder(path.dirname(this.file))
      return ok({ entries: this.entries })
    } catch (error) {
      if (!isSystemError(error)) throw error
      await rm(this.temporary, { force: true })
      return failWith(
        'SX321',
        `cannot write the manifest ${this.file}: ${systemReason(error)}`,
        'Make room or name another folder with --state DIR, then plan again.',
      )
    }
  }

  async discard(): Promise<void> {
    this.output?.destroy()
    await this.output?.closed
    await rm(this.temporary, { force: true })
  }

  private flush(): void {
    if (this.filled === 0) return
    const whole = this.block.subarray(0, this.filled)
    this.block = Buffer.allocUnsafe(BLOCK_BYTES)
    this.filled = 0
    if (this.output === undefined) this.held.push(whole)
    else if (this.output.failure === undefined) this.output.gzip.write(whole)
    if (this.hasWork || this.held.length * BLOCK_BYTES > HELD_BYTES_MAX) this.open(true)
  }

  /** The file, with what was held until now. */
  private open(isKept: boolean): GzipFile {
    if (this.output !== undefined) return this.output
    const output = openGzipFile(this.temporary, isKept)
    for (const block of this.held) output.gzip.write(block)
    this.held = []
    this.output = output
    return output
  }
}

export interface ScanOptions {
  /** Called after each block of records; what it returns is waited for. The place for whoever writes files from `onRecord`. */
  readonly afterBlock?: () => Promise<void> | undefined
  readonly stop?: AbortSignal
}

/** gunzip works beside whoever takes the blocks. Its types leave out what it takes as a stream. */
const blocksAhead = { readableHighWaterMark: 4 * BLOCK_BYTES }

/** The raw bytes of a manifest behind its head, in blocks. Throws what the file system or gunzip says. */
export async function* readManifest(file: string): AsyncGenerator<Buffer, void, undefined> {
  const disk = createReadStream(file, { highWaterMark: BLOCK_BYTES })
  const gunzip = createGunzip({ chunkSize: BLOCK_BYTES, flush: constants.Z_NO_FLUSH, ...blocksAhead })
  disk.on('error', (error) => gunzip.destroy(error))
  disk.pipe(gunzip)
  let head = Buffer.alloc(0)
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (head.length === manifestHead.length) {
        yield chunk
        continue
      }
      const missing = manifestHead.length - head.length
      head = Buffer.concat([head, chunk.subarray(0, missing)])
      if (!head.equals(manifestHead.subarray(0, head.length)))
        throw new ManifestFault('it is no manifest of this version')
      if (chunk.length > missing) yield chunk.subarray(missing)
    }
    if (head.length < manifestHead.length) throw new ManifestFault('it is empty')
  } finally {
    disk.destroy()
    gunzip.destroy()
  }
}

class ManifestFault extends Error {}

/**
 * Shows every record of a manifest, in its order, in one reused view. Fails SX322 when the file is missing,
 * damaged or cut off, after having shown the records before the damage.
 */
export async function scanManifest(
  file: string,
  onRecord: (view: RecordView) => void,
  options: ScanOptions = {},
): Promise<Result<{ entries: number }>> {
  let entries = 0
  const scanner = createScanner('manifest', (view) => {
    entries++
    onRecord(view)
  })
  let reason: string | undefined
  try {
    for await (const block of readManifest(file)) {
      options.stop?.throwIfAborted()
      const fault = scanner.push(block)
      if (fault !== undefined) break
      const pending = options.afterBlock?.()
      if (pending !== undefined) await pending
    }
  } catch (error) {
    if (options.stop?.aborted === true) throw error
    if (!isReadFault(error)) throw error
    reason = systemReason(error)
  }
  const fault = reason === undefined ? scanner.end() : undefined
  if (fault !== undefined) reason = `a record is ${fault.reason} at byte ${fault.offset}`
  if (reason === undefined) return ok({ entries })
  return failWith(
    'SX322',
    `cannot read the manifest ${file}: ${reason}`,
    'Plan again: a new listing replaces it.',
  )
}

/** The file system, zlib, or a head that is not ours; anything else is a mistake of the caller's callback. */
function isReadFault(error: unknown): boolean {
  return (
    error instanceof ManifestFault || (error instanceof Error && ('syscall' in error || 'errno' in error))
  )
}
