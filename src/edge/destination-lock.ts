/**
 * The lock of a folder that a run writes into, for all state folders: two clones of a plan's repository know nothing of
 * each other, and their runs would write over each other's files. It lies in the folder, or where that is not there yet in
 * the nearest one above it that is, and names the run.
 */

import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LOCK_DIGITS } from '../inventory/own-lock.ts'
import { isErrno, isSystemError } from './files.ts'

/** Who writes there. */
export interface DestinationHolder {
  readonly run: string
  /** Absolute path of its run folder. */
  readonly folder: string
  /** `user on host`. */
  readonly who: string
  /** ISO 8601, UTC. */
  readonly since: string
}

export type Claim =
  /** `file` is undefined where no lock can be written: then nothing can be written beside it either. */
  | { readonly kind: 'ours'; readonly file: string | undefined }
  | { readonly kind: 'theirs'; readonly file: string; readonly holder: DestinationHolder }

/** The name says for which folder it is, so that it can lie in one above. */
function lockName(folder: string): string {
  return lockNameOf(createHash('sha256').update(folder).digest())
}

function lockNameOf(bytes: Buffer): string {
  return `.soxplan-${bytes.toString('hex').slice(0, LOCK_DIGITS)}.lock`
}

/** Where the lock of a folder may lie: in it, and in each one above it. */
function placesOf(folder: string): readonly string[] {
  const above = path.dirname(folder)
  return above === folder ? [folder] : [folder, ...placesOf(above)]
}

/**
 * Takes the lock of `folder` for `me`, or says who has it. What `isOver` calls over is taken over; of several that do so
 * at once one gets it. Throws what the file system says while it reads.
 */
export async function claimDestination(
  folder: string,
  me: DestinationHolder,
  isOver: (holder: DestinationHolder) => Promise<boolean>,
): Promise<Claim> {
  for (;;) {
    const found = await findLock(folder)
    if (found === undefined) {
      const written = await writeLock(folder, me)
      if (written.kind === 'ours') return written
      continue
    }
    const { file, holder } = found
    if (holder.run === me.run && holder.folder === me.folder) return { kind: 'ours', file }
    if (!(await isOver(holder))) return { kind: 'theirs', file, holder }
    await takeAway(file)
  }
}

/** Removes the lock of `folder` where it is that of `run`. One that can not be removed is taken over by the next run. */
export async function releaseDestination(folder: string, run: string): Promise<void> {
  const found = await findLock(folder)
  if (found?.holder.run !== run) return
  const { file } = found
  await keepingTimes(path.dirname(file), () => rm(file, { force: true })).catch((error: unknown) => {
    if (!isSystemError(error)) throw error
  })
}

/** A folder's own time is data, which a fixup has set last: the lock's coming and going leaves it, down to microseconds. */
async function keepingTimes(folder: string, work: () => Promise<void>): Promise<void> {
  const { atimeNs, mtimeNs } = await stat(folder, { bigint: true })
  const seconds = (nanos: bigint): number => Number(nanos / 1000n) / 1e6
  try {
    await work()
  } finally {
    // Only its owner may set it, and who else comes and goes there changes it anyway.
    await utimes(folder, seconds(atimeNs), seconds(mtimeNs)).catch(() => undefined)
  }
}

async function findLock(folder: string): Promise<{ file: string; holder: DestinationHolder } | undefined> {
  const name = lockName(folder)
  for (const place of placesOf(folder)) {
    const file = path.join(place, name)
    try {
      return { file, holder: JSON.parse(await readFile(file, 'utf8')) as DestinationHolder }
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ESTALE')) throw error
    }
  }
  return undefined
}

/** It comes under its name whole, and only where there is none. */
async function writeLock(
  folder: string,
  me: DestinationHolder,
): Promise<Extract<Claim, { kind: 'ours' }> | { readonly kind: 'taken' }> {
  const place = await nearestFolder(folder)
  const draft = path.join(place, lockNameOf(randomBytes(LOCK_DIGITS)))
  const file = path.join(place, lockName(folder))
  try {
    await keepingTimes(place, async () => {
      await writeFile(draft, `${JSON.stringify(me)}\n`, { mode: 0o644, flag: 'wx' })
      try {
        await link(draft, file)
      } finally {
        await rm(draft, { force: true })
      }
    })
    return { kind: 'ours', file }
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return { kind: 'taken' }
    if (!isSystemError(error)) throw error
    return { kind: 'ours', file: undefined }
  }
}

async function nearestFolder(folder: string): Promise<string> {
  for (const place of placesOf(folder)) {
    const there = await stat(place).catch(() => undefined)
    if (there?.isDirectory() === true) return place
  }
  return folder
}

/** By a rename, which only one of several can do. */
async function takeAway(file: string): Promise<void> {
  const place = path.dirname(file)
  const away = path.join(place, lockNameOf(randomBytes(LOCK_DIGITS)))
  try {
    await keepingTimes(place, async () => {
      await rename(file, away)
      await rm(away, { force: true })
    })
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
