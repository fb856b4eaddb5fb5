/** Where the bench keeps what it makes once, and where the programs it compares write. */

import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** Kept from run to run, since making a million files takes longer than measuring. */
export async function cacheFolder(): Promise<string> {
  const folder = join(tmpdir(), `soxplan-bench-${userInfo().username}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}

/**
 * Calls `use` with an empty folder in memory where there is one: on a disk, making a file can take ten times as long
 * when others were removed just before, which says nothing about the program.
 */
export async function withOutputFolder<Value>(use: (folder: string) => Promise<Value>): Promise<Value> {
  const memory = '/dev/shm'
  const base = await access(memory, constants.W_OK).then(
    () => memory,
    () => tmpdir(),
  )
  const folder = await mkdtemp(join(base, 'soxplan-bench-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
