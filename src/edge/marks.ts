/** Reads what the workers of a stage left in its folder: verdicts, failed names, and how far a running tool is. */

import { open, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { isSpent } from '../graph/budget.ts'
import { parseFailed, parseMark } from '../run/mark.ts'
import type { FailedEntry, Mark } from '../run/mark.ts'
import { isErrno } from './files.ts'

/** Where a shard stands. `over` is a verdict that no later attempt can change. */
export type ShardState =
  | { readonly at: 'open'; readonly attempts: number }
  | {
      readonly at: 'running'
      readonly attempt: number
      /** Logs that tell what is under way: that of the attempt, or those of calls side by side, which join it when they are over. */
      readonly logPaths: readonly string[]
      /** By calls of the tool that are over; the logs tell of those under way. */
      readonly movedBytes: number
    }
  | { readonly at: 'over'; readonly mark: Mark }

/** A line of rclone's statistics names all files that are under way, some hundred bytes each, and dozens are. */
const LOG_TAIL_BYTES = 64 * 1024

/**
 * Looks at one shard. `attemptsMax` is the plan's: a failed attempt is over when no budget has another. Files that
 * vanish or are torn between two reads are as good as not there; the next look sees more.
 */
export async function readShard(
  stageFolder: string,
  shard: string,
  attemptsMax: number,
): Promise<ShardState> {
  const folder = path.join(stageFolder, 'work', shard)
  const names = await namesIn(folder)
  const attempts = Math.max(0, ...names.map((name) => Number(/^(\d+)\.claim$/.exec(name)?.[1] ?? 0)))
  if (attempts === 0) return { at: 'open', attempts }
  if (!names.includes(`${attempts}.end`)) {
    const log = `${attempts}.log`
    const moved = `${attempts}.moved`
    const isJoined = names.includes(moved)
    const logs = names.filter((name) => (name === log && !isJoined) || name.startsWith(`${log}.`))
    return {
      at: 'running',
      attempt: attempts,
      logPaths: logs.map((name) => path.join(folder, name)),
      movedBytes: isJoined ? sumOfLines(await textOf(path.join(folder, moved))) : 0,
    }
  }
  const mark = await readMark(folder, shard, attempts)
  if (mark?.result === 'done') return { at: 'over', mark }
  if (mark?.result !== 'failed') return { at: 'open', attempts }
  const earlier = Array.from({ length: attempts - 1 }, (_, index) => readMark(folder, shard, index + 1))
  const failed = [...(await Promise.all(earlier)), mark].filter((one) => one?.result === 'failed')
  const exits = failed.flatMap((one) => one?.exitCode ?? [])
  return isSpent(exits, attemptsMax) ? { at: 'over', mark } : { at: 'open', attempts }
}

async function readMark(folder: string, shard: string, attempt: number): Promise<Mark | undefined> {
  return parseMark(await textOf(path.join(folder, `${attempt}.end`)), shard, attempt)
}

/** A line that is no figure counts for nothing: it is still being written, or the disk was full. */
function sumOfLines(text: string): number {
  return text.split('\n').reduce((sum, line) => sum + (/^\d{1,15}$/.test(line) ? Number(line) : 0), 0)
}

/** The entries that the last attempt of a shard gave up on. */
export async function readFailed(stageFolder: string, mark: Mark): Promise<readonly FailedEntry[]> {
  const file = path.join(stageFolder, 'work', mark.shard, `${mark.attempt}.failed`)
  try {
    return parseFailed(await readFile(file))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The end of a log, as latin1 text; empty when there is none yet. */
export async function tailOf(file: string, bytesMax = LOG_TAIL_BYTES): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      const { size } = await handle.stat()
      const buffer = Buffer.alloc(Math.min(size, bytesMax))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length)
      return buffer.toString('latin1', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

/** Empty for a folder that is not there. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** Latin1 text of a small file; empty where there is none. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESTALE')) return ''
    throw error
  }
}
