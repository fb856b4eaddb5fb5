/** Jobs outside of a plan that a transfer stands after: does Slurm know them, and can they still end well? */

import type { Diagnostic, Result } from '../../diagnostic.ts'
import { fail, failWith, ok } from '../../diagnostic.ts'
import { isLive, parseQueue, queueFormat } from './parse.ts'
import type { QueueRow } from './parse.ts'
import type { Call } from './queue.ts'
import { isSilence, refusal } from './refusal.ts'

/**
 * Asked before anything is submitted, because Slurm 22.05 takes a job that it has forgotten for one that ended well: what
 * stands after it would start although it failed. Fails SX517 for such a job, SX518 for one that has ended badly, and as
 * `refusal` when nobody answers.
 */
export async function checkOutsideJobs(ids: readonly string[], call: Call): Promise<Result<undefined>> {
  const problems: Diagnostic[] = []
  for (const id of ids) {
    const answer = await call([
      'squeue',
      '--noheader',
      '--states=all',
      `--jobs=${id}`,
      `--format=${queueFormat}`,
    ])
    if (!answer.ok && isSilence(answer.error)) return fail([refusal('squeue', answer.error)])
    const problem = problemOf(id, answer.ok ? parseQueue(answer.value.stdout) : [])
    if (!problem.ok) problems.push(...problem.error)
  }
  return problems.length === 0 ? ok(undefined) : fail(problems)
}

function problemOf(id: string, rows: readonly QueueRow[]): Result<undefined> {
  if (rows.length === 0)
    return failWith(
      'SX517',
      `Slurm does not know job ${id}, which the plan waits for`,
      'Name a job that is still in the queue; where it has ended well long ago, remove it from `after`.',
      'Slurm forgets jobs minutes after their end, and may then start what waits for them whatever became of them.',
    )
  const bad = rows.find((row) => !isLive(row) && row.state !== 'COMPLETED')
  if (bad === undefined) return ok(undefined)
  return failWith(
    'SX518',
    `Job ${id}, which the plan waits for, has ended ${bad.state}`,
    'What waits for it would never start. Name another job, or remove it from `after`.',
  )
}
