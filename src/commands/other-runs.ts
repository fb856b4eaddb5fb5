/** Keeps a new run apart from older ones of the state folder: two runs never write into one destination at once. */

import { fail, failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { openJournal } from '../edge/journal.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import type { UnfinishedRun } from '../edge/unfinished.ts'
import type { Event } from '../run/event.ts'
import { isAlive } from '../run/executor.ts'
import type { Plan } from '../plan/plan.ts'
import { executorFor } from './executor-for.ts'
import type { CommandIo } from './io.ts'
import { locationText } from './preview-of.ts'

/**
 * Refuses (SX506) while an unfinished run has jobs that may write into one of `places`; jobs of one that was never
 * released are ended. Workers on this machine ended with the soxplan that started them, and the lock says it is gone.
 */
export async function checkNoOtherRun(
  unfinished: readonly UnfinishedRun[],
  places: readonly string[],
  io: CommandIo,
): Promise<Result<undefined>> {
  for (const other of unfinished) {
    const { record, state, paths } = other
    const place = commonPlace(other, places)
    if (record.executor !== 'slurm' || place === undefined) continue
    const executor = executorFor(record, paths, io)
    if (!state.isReleased) {
      const cancelled = await executor.cancel()
      if (!cancelled.ok) return cancelled
      if (!state.hasRun) await note(other, { kind: 'withdrawn', reason: 'nothing of it was released' }, io)
      continue
    }
    const tickets = [...ticketsOf(state).values()]
    const sightings = [...(await executor.look(tickets)).values()]
    if (sightings.some(({ phase }) => phase === 'unknown')) return fail([silentQueue(other)])
    if (!sightings.some(isAlive)) continue
    return failWith(
      'SX506',
      `Run ${record.run} still has jobs that write into ${place}`,
      `Wait for them, or end them with: soxplan cancel ${record.run}`,
      'It was started from another text of the plan, or it was to be left for a new run: two runs never write into one place at once.',
    )
  }
  return ok(undefined)
}

/** Marks runs of the same plan as left behind for a new one: nobody will go on with them. */
export async function supersede(unfinished: readonly UnfinishedRun[], io: CommandIo): Promise<void> {
  for (const other of unfinished) await note(other, { kind: 'superseded' }, io)
}

/** Why nothing can be decided about an unfinished run. */
export function silentQueue({ record }: UnfinishedRun): {
  readonly code: string
  readonly severity: 'error'
  readonly what: string
  readonly todo: string
} {
  return {
    code: 'SX505',
    severity: 'error',
    what: `Run ${record.run} is unfinished, and squeue does not say whether its jobs live`,
    todo: 'Try again when `scontrol ping` says UP: submitting now could start everything twice.',
  }
}

export async function note({ paths }: UnfinishedRun, event: Event, io: CommandIo): Promise<void> {
  const journal = await openJournal(paths.events, io.now)
  await journal.append(event)
  await journal.close()
}

/** The destinations of a plan, as its runs record them. */
export function placesOf(plan: Plan): readonly string[] {
  return plan.transfers.map(({ to }) => locationText(to))
}

/** One of `places` that lies in one of the run's, or the other way round. */
function commonPlace({ record }: UnfinishedRun, places: readonly string[]): string | undefined {
  const theirs = record.transfers.map(({ to }) => asFolder(to))
  return places.find((to) =>
    theirs.some((their) => their.startsWith(asFolder(to)) || asFolder(to).startsWith(their)),
  )
}

function asFolder(place: string): string {
  return /[/:]$/.test(place) ? place : `${place}/`
}
