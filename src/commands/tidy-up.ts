/** Removes what killed tools left at the destinations of a run, once nobody works on it any more. */

import { ok, type Result } from '../diagnostic.ts'
import { isKeptPart } from '../edge/leftovers.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import type { StepProgress } from '../run/progress.ts'
import type { RunRecord } from '../run/record.ts'
import { formatPlural } from '../view/format.ts'
import type { CommandIo } from './io.ts'
import { countOf, findAll, leftoverContext, removeAll } from './leftovers-of.ts'

/**
 * Removes all of it, or all but what rsync goes on with (`spares`), and says how much it was: nothing where the user did
 * not want to wait. Fails as `findAll` and `removeAll`.
 */
export async function removeLeftovers(
  record: RunRecord,
  paths: RunPaths,
  spares: 'nothing' | 'kept parts',
  io: CommandIo,
): Promise<Result<number>> {
  try {
    return await removeThose(record, paths, spares, io)
  } catch (error) {
    if (!io.interrupt.aborted) throw error
    return ok(0)
  }
}

async function removeThose(
  record: RunRecord,
  paths: RunPaths,
  spares: 'nothing' | 'kept parts',
  io: CommandIo,
): Promise<Result<number>> {
  const context = leftoverContext(record, io)
  const found = await findAll(record, paths, context)
  if (!found.ok) return found
  const chosen = found.value.map((one) => ({
    ...one,
    files: spares === 'nothing' ? one.files : one.files.filter((file) => !isKeptPart(file)),
  }))
  const removed = await removeAll(chosen, context)
  return removed.ok ? ok(countOf(chosen)) : removed
}

export function removedText(count: number): string {
  return count === 0
    ? ''
    : `Removed ${formatPlural(count, 'half file or broken upload', 'half files and broken uploads')}.\n`
}

/** False where every shard was done at its first attempt, so that no tool of the run was broken off. */
export function mayHaveLeftovers(steps: readonly StepProgress[]): boolean {
  return steps.some(({ marks }) =>
    marks.some(({ attempt, result, failed }) => attempt > 1 || result !== 'done' || failed > 0),
  )
}
