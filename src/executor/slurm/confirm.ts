/** Before anything is released: is what was submitted in the queue under its name, once, and nothing else of this run? */

import { fail, failWith, ok } from '../../diagnostic.ts'
import type { Result } from '../../diagnostic.ts'
import type { Ticket } from '../../run/event.ts'
import { isLive } from './parse.ts'
import type { QueueRow } from './parse.ts'
import type { Call, Queue } from './queue.ts'
import { refusal } from './refusal.ts'
import { askPatiently } from './submit.ts'
import type { Patience } from './submit.ts'

/**
 * A controller that crashed may have forgotten a job that it accepted seconds before, and then gives its id to the next
 * one (22.05: up to 3 s before a SIGKILL); what stands behind it would wait for a stranger. And an sbatch that was given up
 * on may have been accepted late: then a second array of the same name waits, held, for ever. Fails SX501 when nobody
 * answers and SX507 when a job is not there; arrays too many are cancelled.
 *
 * @param expected array ids by job name
 * @param earlier array ids of the run that were confirmed before
 */
export async function confirm(
  expected: ReadonlyMap<string, Ticket>,
  earlier: readonly Ticket[],
  call: Call,
  queue: Queue,
  patience: Patience,
): Promise<Result<undefined>> {
  const rows = (await queue(patience.interrupt)) ?? (await askPatiently(queue, patience))
  if (rows === undefined)
    return failWith(
      'SX501',
      'The Slurm controller does not say whether it has what was submitted',
      'Apply again when `scontrol ping` says UP.',
    )
  const lost = [...expected].filter(([name, id]) => !rows.some((row) => isAs(row, name, id)))
  if (lost.length > 0)
    return failWith(
      'SX507',
      `Slurm has lost ${lost.length} of ${expected.size} jobs that it had accepted: ${lost.map(([name, id]) => `${id} (${name})`).join(', ')}`,
      'Apply again. When it happens again, ask the operators whether slurmctld restarts.',
    )
  const known = new Set([...expected.values(), ...earlier])
  const extra = new Set(
    rows.filter((row) => isLive(row) && !known.has(row.arrayId)).map((row) => row.arrayId),
  )
  if (extra.size === 0) return ok(undefined)
  const answer = await call(['scancel', '--quiet', ...extra])
  return answer.ok ? ok(undefined) : fail([refusal('scancel', answer.error)])
}

function isAs(row: QueueRow, name: string, id: Ticket): boolean {
  return row.arrayId === id && row.name === name
}
