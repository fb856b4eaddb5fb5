/** Manifests on disk: written in one pass under a temporary name, read again by whoever makes shard lists. */

import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { constants, createGunzip, createGzip } from 'node:zlib'
import type { Gzip } from 'node:zlib'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import type { RecordView } from '../inventory/entry.ts'
import { manifestHead, recordLength, writeRecord } from '../inventory/manifest.ts'
import { createScanner } from '../inventory/scan.ts'
import { isSystemError, syncFolder, systemReason } from './files.ts'

/** Bytes handed to gzip and to the file at a time: each hand-over is a trip through the thread pool. */
const BLOCK_BYTES = 256 * 1024
/** Listings are the same few words over and over: higher levels take twice the time for a few percent. */
const GZIP_LEVEL = 1

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

function openGzipFile(file: string): GzipFile {
  const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: BLOCK_BYTES })
  const disk = createWriteStream(file, { mode: 0o600, highWaterMark: 4 * BLOCK_BYTES, flush: true })
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
  const temporary = `${file}.part`
  const output = openGzipFile(temporary)
  output.gzip.write(manifestHead)
  let block = Buffer.allocUnsafe(BLOCK_BYTES)
  let filled = 0
  let entries = 0
  const flush = (): void => {
    if (filled === 0 || output.failure !== undefined) return
    output.gzip.write(block.subarray(0, filled))
    block = Buffer.allocUnsafe(BLOCK_BYTES)
    filled = 0
  }
  return {
    add(view, fateByte) {
      const length = recordLength(view)
      if (filled + length > block.length) flush()
      // Longer than a block only with a path that no tool can open; it is still an entry.
      if (length > block.length) block = Buffer.allocUnsafe(length)
      filled = output.failure === undefined ? writeRecord(view, fateByte, block, filled) : 0
      entries++
    },
    pressure() {
      if (!output.gzip.writableNeedDrain || output.failure !== undefined) return undefined
      return new Promise((resolve) => {
        output.gzip.once('drain', resolve)
        void output.closed.then(resolve)
      })
    },
    async close() {
      flush()
      if (output.failure === undefined) output.gzip.end()
      await output.closed
      try {
        if (output.failure !== undefined) throw output.failure
        await rename(temporary, file)
        await syncFolder(path.dirname(file))
        return ok({ entries })
      } catch (error) {
        if (!isSystemError(error)) throw error
        await rm(temporary, { force: true })
        return failWith(
          'SX321',
          `cannot write the manifest ${file}: ${systemReason(error)}`,
          'Make room or name another folder with --state DIR, then plan again.',
        )
      }
    },
    async discard() {
      output.destroy()
      await output.closed
      await rm(temporary, { force: true })
    },
  }
}

export interface ScanOptions {
  /** Called after each block of records; what it returns is waited for. The place for whoever writes files from `onRecord`. */
  readonly afterBlock?: () => Promise<void> | undefined
  readonly stop?: AbortSignal
}

/** The raw bytes of a manifest behind its head, in blocks. Throws what the file system or gunzip says. */
export async function* readManifest(file: string): AsyncGenerator<Buffer, void, undefined> {
  const disk = createReadStream(file, { highWaterMark: BLOCK_BYTES })
  const gunzip = createGunzip({ chunkSize: 4 * BLOCK_BYTES, flush: constants.Z_NO_FLUSH })
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
