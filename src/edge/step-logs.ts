/** The logs of a step: what its workers said, and what the tool said in each attempt at a shard. */

import { stat } from 'node:fs/promises'
import path from 'node:path'
import { printable } from '../inventory/printable.ts'
import { parseMark } from '../run/mark.ts'
import type { MarkResult } from '../run/mark.ts'
import { namesIn, tailOf, textOf } from './marks.ts'

/** Below the step's folder; bytes as they are now. */
export interface LogFile {
  readonly name: string
  readonly sizeBytes: number
}

export interface AttemptLog extends LogFile {
  readonly shard: string
  readonly attempt: number
  /** `open`: no verdict, or one that is torn. The attempt runs, or its worker is gone. */
  readonly result: MarkResult | 'open'
  /** Entries that it gave up on. */
  readonly failed: number
}

export interface StepLogs {
  readonly workers: readonly LogFile[]
  /** By shard and attempt. */
  readonly attempts: readonly AttemptLog[]
}

/** A line of a log may be megabytes of one name; of the file no more than this is read. */
const TAIL_BYTES_MAX = 1024 * 1024

/** Everything that is there; a step that has not begun has nothing. */
export async function listLogs(stageFolder: string): Promise<StepLogs> {
  const workers: LogFile[] = []
  for (const name of await sortedNames(path.join(stageFolder, 'logs')))
    workers.push(await logFile(stageFolder, path.join('logs', name)))
  const attempts: AttemptLog[] = []
  for (const shard of await sortedNames(path.join(stageFolder, 'work'))) {
    const folder = path.join('work', shard)
    for (const name of await sortedNames(path.join(stageFolder, folder))) {
      const attempt = Number(/^(\d+)\.log(\..+)?$/.exec(name)?.[1] ?? NaN)
      if (Number.isNaN(attempt)) continue
      const end = await textOf(path.join(stageFolder, folder, `${attempt}.end`))
      const { result, failed } = parseMark(end, shard, attempt) ?? { result: 'open', failed: 0 }
      const file = await logFile(stageFolder, path.join(folder, name))
      attempts.push({ ...file, shard, attempt, result, failed })
    }
  }
  return { workers, attempts }
}

/** Characters of a line that are shown: rclone's statistics begin with what they come to, and go on for kilobytes. */
const LINE_CHARS_MAX = 500

/** The last lines of a log, each printable whatever bytes it holds, and cut where it is very long. */
export async function lastLinesOf(file: string, count: number): Promise<readonly string[]> {
  const lines = (await tailOf(file, TAIL_BYTES_MAX)).replace(/\n$/, '').split('\n')
  return lines.slice(-count).map((line) => shortened(printable(line)))
}

function shortened(line: string): string {
  return line.length <= LINE_CHARS_MAX ? line : `${line.slice(0, LINE_CHARS_MAX)} …`
}

async function logFile(stageFolder: string, name: string): Promise<LogFile> {
  return { name, sizeBytes: (await stat(path.join(stageFolder, name))).size }
}

/** Numbers in names sort as numbers: attempt 10 comes behind attempt 9. */
async function sortedNames(folder: string): Promise<readonly string[]> {
  const collator = new Intl.Collator('en', { numeric: true })
  return (await namesIn(folder)).toSorted((one, other) => collator.compare(one, other))
}
