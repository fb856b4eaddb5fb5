/** `soxplan job RUN TRANSFER`: the id that another job waits for, so that it starts once the transfer is delivered and proven. */

import type { Diagnostic, Result } from '../diagnostic.ts'
import { failWith, ok } from '../diagnostic.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import { closerOf } from '../executor/slurm/directives.ts'
import { isAlive } from '../run/executor.ts'
import { isClean } from '../run/progress.ts'
import type { TransferRecord } from '../run/record.ts'
import { formatPlural } from '../view/format.ts'
import { ExitCode } from './exit-code.ts'
import { runToRead } from './find-run.ts'
import type { RunFlags } from './find-run.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'
import { lookAtRun, progressOf } from './look-at-run.ts'
import type { SeenRun } from './look-at-run.ts'

/**
 * Prints the id alone, for `sbatch --dependency=afterok:ID`. Where all is delivered already there is nothing to wait for
 * and nothing is printed. Exit codes: 0 what waits for the id that was printed, if any, finds all of it; 1 nothing will
 * deliver it as things stand, or nobody can tell; 2 usage. Fails SX607, SX612 and SX613.
 */
export async function jobCommand(
  run: string,
  transfer: string,
  flags: RunFlags,
  io: CommandIo,
): Promise<number> {
  const refuse = (diagnostics: readonly Diagnostic[], code: number): number => {
    printDiagnostics(diagnostics, run, io)
    return code
  }
  const found = await runToRead(run, flags, io)
  if (typeof found === 'number') return found
  const { record } = found
  const asked = record.transfers.find(({ name }) => name === transfer)
  if (asked === undefined) {
    const names = record.transfers.map(({ name }) => name).join(', ')
    const unknown = failWith('SX612', `Run ${record.run} has no transfer ${transfer}`, `It has: ${names}.`)
    return refuse(unknown.error, ExitCode.usage)
  }
  const answer = await jobOf(await lookAtRun(found, io), asked)
  if (!answer.ok) return refuse(answer.error, ExitCode.failed)
  if (answer.value === undefined)
    io.stderr(`${transfer} is delivered and proven: there is nothing to wait for.\n`)
  else io.stdout(`${answer.value}\n`)
  return ExitCode.ok
}

/** Undefined: delivered. */
async function jobOf(seen: SeenRun, asked: TransferRecord): Promise<Result<string | undefined>> {
  const { record, state } = seen.run
  const { run } = record
  const left = asked.refused.count + asked.unlisted.count + (asked.blocked?.entries ?? 0)
  if (left > 0)
    return failWith(
      'SX613',
      `Run ${run} does not deliver all of ${asked.name}: ${formatPlural(left, 'entry is left out', 'entries are left out')} that the preview named`,
      'Mend what it said and apply again; `soxplan status` has the names.',
    )
  const last = record.steps.find(({ transfer, isLast }) => transfer.name === asked.name && isLast)
  if (last === undefined) return ok(undefined)
  const { steps } = await progressOf(seen)
  if (steps.some((progress) => progress.step.id === last.id && isClean(progress))) return ok(undefined)
  const ticket = ticketsOf(state).get(last.id)
  const sighting = ticket === undefined ? undefined : seen.sightings.get(ticket)
  if (ticket !== undefined && sighting?.phase === 'unknown')
    return failWith(
      'SX613',
      `squeue does not say whether job ${ticket} of ${last.id} still runs`,
      'Ask again when `scontrol ping` says UP.',
    )
  if (ticket !== undefined && sighting !== undefined && isAlive(sighting)) return ok(closerOf(ticket))
  return failWith(
    'SX613',
    `Nothing in the queue will deliver ${asked.name} of run ${run}`,
    record.executor === 'local'
      ? 'It is no run on Slurm: wait for the apply itself.'
      : `\`soxplan status ${run}\` says what became of it and what to do.`,
  )
}
