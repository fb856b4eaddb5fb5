/** Many files written at once with few handles and bounded memory: the lists of all shards of a stage. */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { systemReason } from './files.ts'

/** Buffers of all files together. */
const BUFFERS_BYTES = 64 * 2 ** 20
const BUFFER_BYTES_MIN = 4 * 1024
const BUFFER_BYTES_MAX = 256 * 1024
/** More handles than this are not kept open: login nodes often allow 1,024 per process. */
const HANDLES_MAX = 256
const SYNCS_AT_ONCE = 16

/** What the file system said, told apart from a fault of whatever is being read at the same time. */
export class WriteFault extends Error {}

/** One file. It comes into being with its first byte. */
export interface ListFile {
  /** Makes room for `length` bytes at `at` in `buffer`; the caller fills them and calls `advance`. */
  reserve(length: number): void
  buffer: Buffer
  at: number
}

/**
 * Opens nothing yet. Writing throws `WriteFault` when the file system refuses; `discard` then removes every file
 * that was begun. Writing is synchronous: records come faster than one could wait for each.
 */
export class ListFiles {
  private readonly files: BufferedFile[] = []
  private readonly bufferBytes: number
  private readonly keepsHandles: boolean

  constructor(filesExpected: number) {
    const share = Math.floor(BUFFERS_BYTES / Math.max(1, filesExpected))
    this.bufferBytes = Math.max(BUFFER_BYTES_MIN, Math.min(BUFFER_BYTES_MAX, share))
    this.keepsHandles = filesExpected <= HANDLES_MAX
  }

  create(path: string): ListFile {
    const file = new BufferedFile(path, this.bufferBytes, this.keepsHandles)
    this.files.push(file)
    return file
  }

  /** A file whose whole content is known already. */
  write(path: string, content: Uint8Array): void {
    const file = new BufferedFile(path, 0, false)
    this.files.push(file)
    file.reserve(content.length)
    file.buffer.set(content)
    file.at = content.length
    file.flush()
    file.buffer = Buffer.alloc(0)
  }

  /** Writes what is buffered and makes every file durable, several at a time: each waits for the disk. */
  async close(): Promise<void> {
    for (const file of this.files) file.flush()
    const waiting = this.files.values()
    const sync = async (): Promise<void> => {
      for (const file of waiting) await file.syncAndClose()
    }
    await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, sync))
  }

  discard(): void {
    for (const file of this.files) file.discard()
  }
}

class BufferedFile implements ListFile {
  buffer: Buffer = Buffer.alloc(0)
  at = 0
  private handle: number | undefined
  private begun = false
  private readonly path: string
  private readonly bufferBytes: number
  private readonly keepsHandle: boolean

  constructor(path: string, bufferBytes: number, keepsHandle: boolean) {
    this.path = path
    this.bufferBytes = bufferBytes
    this.keepsHandle = keepsHandle
  }

  reserve(length: number): void {
    if (this.at + length <= this.buffer.length) return
    this.flush()
    if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(Math.max(length, this.bufferBytes))
  }

  flush(): void {
    if (this.at === 0) return
    try {
      this.handle ??= openSync(this.path, this.begun ? 'a' : 'w', 0o600)
      this.begun = true
      for (let written = 0; written < this.at;)
        written += writeSync(this.handle, this.buffer, written, this.at - written)
    } catch (error) {
      throw new WriteFault(systemReason(error))
    }
    this.at = 0
    if (!this.keepsHandle) this.close()
  }

  async syncAndClose(): Promise<void> {
    if (!this.begun) return
    this.close()
    const handle = await open(this.path, 'r+')
    try {
      await handle.datasync()
    } finally {
      await handle.close()
    }
  }

  discard(): void {
    if (!this.begun) return
    this.close()
    rmSync(this.path, { force: true })
  }

  private close(): void {
    if (this.handle === undefined) return
    const handle = this.handle
    this.handle = undefined
    closeSync(handle)
  }
}
