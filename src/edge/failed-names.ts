/** `failed.txt`: every name that a run gave up on, one a line. */

import path from 'node:path'
import { printable } from '../inventory/printable.ts'
import type { Progress } from '../run/progress.ts'
import { writeAtomic } from './files.ts'
import { readFailed } from './marks.ts'
import type { RunPaths } from './run-folder.ts'

/** Returns the file's path, or undefined when no shard named anything. A line: step, class, printable path, log. */
export async function writeFailedNames(paths: RunPaths, progress: Progress): Promise<string | undefined> {
  const lines: string[] = []
  for (const { step, marks } of progress.steps) {
    const folder = paths.stage(step)
    for (const mark of marks.filter(({ failed }) => failed > 0)) {
      const log = path.join(folder, 'work', mark.shard, `${mark.attempt}.log`)
      for (const entry of await readFailed(folder, mark)) {
        lines.push(`${step.id}\t${entry.failure}\t${printable(entry.path)}\t${log}\n`)
      }
    }
  }
  if (lines.length === 0) return undefined
  await writeAtomic(paths.failedNames, lines.join(''))
  return paths.failedNames
}
