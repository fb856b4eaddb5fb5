/** Hands one step to Slurm, exactly once as far as that can be known. */

import { fail, failWith, ok } from '../../diagnostic.ts'
import type { Result } from '../../diagnostic.ts'
import type { Ticket } from '../../run/event.ts'
import { isLive, parseSubmitted } from './parse.ts'
import type { QueueRow } from './parse.ts'
import type { Call, Queue } from './queue.ts'
import { isSilence, refusal } from './refusal.ts'

/** A controller that restarts is back within a minute or two; longer than this nobody is kept waiting. */
const PATIENCE_LOOKS = 30
const PATIENCE_MILLIS = 5000
/**
 * A controller that answers again may still have our sbatch in its backlog: squeue has been seen to come first. So a
 * name that is not there is looked for this often before it is taken for never submitted.
 */
const SETTLE_LOOKS = 6
const SETTLE_MILLIS = 2000

export interface Patience {
  /** Ends early when `stop` fires. */
  readonly sleep: (milliseconds: number, stop?: AbortSignal) => Promise<void>
  /** The user does not want to wait any longer. */
  readonly interrupt: AbortSignal
  /** Tells the user why nothing happens. */
  readonly notify: (line: string) => void
}

/**
 * One sbatch. A printed id means success whatever stderr says. Everything that is not a clear refusal is uncertain and
 * is looked up by name, because a controller may have accepted what the client never heard of; only when it then
 * answers and knows nothing of it is sbatch called once more.
 */
export async function submitOnce(
  args: readonly string[],
  name: string,
  sbatch: Call,
  queue: Queue,
  patience: Patience,
): Promise<Result<Ticket>> {
  for (let tries = 0; ; tries++) {
    const answer = await sbatch(['sbatch', ...args])
    const id = parseSubmitted(answer.ok ? answer.value.stdout : answer.error.stdout)
    if (answer.ok && id !== undefined) return ok(id)
    const silence = !answer.ok && isSilence(answer.error)
    const rows = silence ? await afterSilence(name, queue, patience) : await queue()
    const adopted = rows?.find((row) => isOurs(row, name))
    if (adopted !== undefined) return ok(adopted.arrayId)
    if (silence && rows !== undefined && tries === 0 && !patience.interrupt.aborted) continue
    if (!answer.ok) return fail([refusal('sbatch', answer.error)])
    return failWith(
      'SX503',
      `sbatch printed no job id for ${name}`,
      'Run sbatch by hand to see what it prints, then apply again.',
    )
  }
}

/** A live job of this name. Undefined: there is none. Fails SX501 when nobody answers. */
export async function findByName(
  name: string,
  queue: Queue,
  patience: Patience,
): Promise<Result<Ticket> | undefined> {
  const rows = (await queue(patience.interrupt)) ?? (await askPatiently(queue, patience))
  if (rows === undefined)
    return failWith(
      'SX501',
      `The Slurm controller does not say whether it has ${name}`,
      'Apply again when `scontrol ping` says UP.',
    )
  const row = rows.find((one) => isOurs(one, name))
  return row === undefined ? undefined : ok(row.arrayId)
}

function isOurs(row: QueueRow, name: string): boolean {
  return row.name === name && isLive(row)
}

/** Waits for an answer, and then for the name, until the backlog must have been worked off. */
async function afterSilence(
  name: string,
  queue: Queue,
  patience: Patience,
): Promise<readonly QueueRow[] | undefined> {
  let rows = await askPatiently(queue, patience)
  for (let looks = 1; looks < SETTLE_LOOKS && !patience.interrupt.aborted; looks++) {
    if (rows?.some((row) => isOurs(row, name)) === true) return rows
    await patience.sleep(SETTLE_MILLIS, patience.interrupt)
    rows = (await queue(patience.interrupt)) ?? rows
  }
  return rows
}

/** Lets held roots go. A release may be repeated, so one that nobody answered is. */
export async function release(
  roots: readonly Ticket[],
  call: Call,
  queue: Queue,
  patience: Patience,
): Promise<Result<undefined>> {
  if (roots.length === 0) return ok(undefined)
  const argv = ['scontrol', 'release', roots.join(',')] as const
  let answer = await call(argv)
  if (!answer.ok && isSilence(answer.error) && (await askPatiently(queue, patience)) !== undefined)
    answer = await call(argv)
  return answer.ok ? ok(undefined) : fail([refusal('scontrol release', answer.error)])
}

/** Waits until the queue answers, as long as patience lasts. */
export async function askPatiently(
  queue: Queue,
  { sleep, interrupt, notify }: Patience,
): Promise<readonly QueueRow[] | undefined> {
  notify('The Slurm controller does not answer; waiting for it.')
  for (let looks = 0; looks < PATIENCE_LOOKS && !interrupt.aborted; looks++) {
    const rows = await queue(interrupt)
    if (rows !== undefined) return rows
    await sleep(PATIENCE_MILLIS, interrupt)
  }
  return undefined
}
