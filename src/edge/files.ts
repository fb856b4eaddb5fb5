/** Files that must survive a crash: written whole, synced, and only then under their name. */

import { randomBytes } from 'node:crypto'
import { lstat, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** Writes `content` so that `file` holds either what it held before or all of it, even after a power cut. Throws what the file system says. */
export async function writeAtomic(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeSynced(temporary, content, mode)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(path.dirname(file))
}

async function writeSynced(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the names in a folder durable. File systems that can not sync a folder say EINVAL; there is nothing better to do there. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error
  } finally {
    await handle.close()
  }
}

/** True when `error` is a system error of one of these codes, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  )
}

/** What the file system said, for a message: `ENOSPC: no space left on device`. */
export function systemReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(
    /, (open|mkdir|write|fsync|rename|scandir|stat|lstat|link|unlink|rm|access|chmod).*$/s,
    '',
  )
}

/** True for an error that the file system or the kernel gave, as against a mistake of ours. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

/** True when something of that name is there, whatever it is. */
export async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
