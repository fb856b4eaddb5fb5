/** Many files written at once with few handles and bounded memory: the lists of all shards of a stage. */

import { closeSync, fdatasync, openSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isErrno, systemReason } from './files.ts'

/** Buffers of all files together. */
const BUFFERS_BYTES = 64 * 2 ** 20
const BUFFER_BYTES_MIN = 4 * 1024
const BUFFER_BYTES_MAX = 256 * 1024
/** Opening a file anew for each block costs as much as writing it, so handles are kept; where fewer are allowed, fewer. */
const HANDLES_MAX = 2048
const SYNCS_AT_ONCE = 16

const fdatasyncOf = promisify(fdatasync)

/** What the file system said, told apart from a fault of whatever is being read at the same time. */
export class WriteFault extends Error {}

/** One file. It comes into being with its first byte. */
export interface ListFile {
  /** Makes room for `length` bytes at `at` in `buffer`; the caller fills them and moves `at` behind them. */
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
  private readonly handles = new Handles()
  private readonly bufferBytes: number

  constructor(filesExpected: number) {
    const share = Math.floor(BUFFERS_BYTES / Math.max(1, filesExpected))
    this.bufferBytes = Math.max(BUFFER_BYTES_MIN, Math.min(BUFFER_BYTES_MAX, share))
  }

  create(path: string): ListFile {
    const file = new BufferedFile(path, this.bufferBytes, this.handles)
    this.files.push(file)
    return file
  }

  /** A file whose whole content is known already. */
  write(path: string, content: Uint8Array): void {
    const file = new BufferedFile(path, 0, this.handles)
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
    const work = async (): Promise<void> => {
      for (const file of waiting) await file.sync()
    }
    try {
      await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, work))
    } finally {
      this.handles.closeAll()
    }
  }

  discard(): void {
    this.handles.closeAll()
    for (const file of this.files) if (file.begun) rmSync(file.path, { force: true })
  }
}

/** Handles that stay open, up to what the system allows. */
class Handles {
  private readonly open = new Map<string, number>()
  private limit = HANDLES_MAX

  kept(path: string): number | undefined {
    return this.open.get(path)
  }

  get(path: string, flag: 'w' | 'a'): number {
    const known = this.open.get(path)
    if (known !== undefined) return known
    if (this.open.size >= this.limit) this.closeAll()
    const handle = this.openWithin(path, flag)
    this.open.set(path, handle)
    return handle
  }

  closeAll(): void {
    for (const handle of this.open.values()) closeSync(handle)
    this.open.clear()
  }

  private openWithin(path: string, flag: 'w' | 'a'): number {
    try {
      return openSync(path, flag, 0o600)
    } catch (error) {
      if (!isErrno(error, 'EMFILE', 'ENFILE') || this.open.size < 2) throw error
      // Half of what went leaves the rest of the process some to open.
      this.limit = Math.floor(this.open.size / 2)
      this.closeAll()
      return openSync(path, flag, 0o600)
    }
  }
}

class BufferedFile implements ListFile {
  buffer: Buffer = Buffer.alloc(0)
  at = 0
  begun = false
  readonly path: string
  private readonly bufferBytes: number
  private readonly handles: Handles

  constructor(path: string, bufferBytes: number, handles: Handles) {
    this.path = path
    this.bufferBytes = bufferBytes
    this.handles = handles
  }

  reserve(length: number): void {
    if (this.at + length <= this.buffer.length) return
    this.flush()
    if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(Math.max(length, this.bufferBytes))
  }

  flush(): void {
    if (this.at === 0) return
    try {
      const handle = this.handles.get(this.path, this.begun ? 'a' : 'w')
      this.begun = true
      for (let written = 0; written < this.at;)
        written += writeSync(handle, this.buffer, written, this.at - written)
    } catch (error) {
      throw new WriteFault(systemReason(error))
    }
    this.at = 0
  }

  async sync(): Promise<void> {
    if (!this.begun) return
    const kept = this.handles.kept(this.path)
    if (kept !== undefined) {
      await fdatasyncOf(kept)
      return
    }
    const handle = await open(this.path, 'r+')
    try {
      await handle.datasync()
    } finally {
      await handle.close()
    }
  }
}
