/** `soxplan cancel RUN`: ends all of a run, wherever it is driven from, and removes what it left half done. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Diagnostic, Result } from '../diagnostic.ts'
import { ok } from '../diagnostic.ts'
import { askYes } from '../edge/ask.ts'
import { forgetCancelRequest, requestCancel, whoIsHere } from '../edge/cancel-request.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import type { KnownRun } from '../edge/unfinished.ts'
import { isAlive } from '../run/executor.ts'
import { formatPlural } from '../view/format.ts'
import { goesOnText } from './execute-texts.ts'
import { executorFor } from './executor-for.ts'
import { ExitCode } from './exit-code.ts'
import { findRun, runToChange, stateDirOfRun } from './find-run.ts'
import { releaseDestinations } from './hold-destinations.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'
import { note } from './other-runs.ts'
import { removedText, removeLeftovers } from './tidy-up.ts'
import { withLock } from './with-lock.ts'

export interface CancelFlags {
  readonly state?: string
  readonly yes?: boolean
  /** Leave half files and broken uploads where they are. */
  readonly keep?: boolean
}

/** Whoever drives the run sees the wish within a second, and ends workers within their kill grace. */
const WAIT_SECONDS = 60

/**
 * `run`: an id in the state folder, or the path of a run folder. Works while somebody follows the run, on this machine
 * or another. Exit codes: 0 nothing of it is left, 1 something is or may be, 2 usage or no.
 */
export async function cancelCommand(run: string, flags: CancelFlags, io: CommandIo): Promise<number> {
  const found = await runToChange(run, 'cancel', flags, io)
  if (typeof found === 'number') return found
  const { record, paths } = found
  io.stdout(await whatItIs(found, io))
  if (
    flags.yes !== true &&
    !(await askYes('Type yes to end all of it: ', io.stdin, process.stderr, io.interrupt))
  ) {
    io.stderr('It is left as it is.\n')
    return io.interrupt.aborted ? ExitCode.interrupted : ExitCode.usage
  }
  const by = whoIsHere()
  await requestCancel(paths, by)
  // At once, and not only when the lock is free: its holder may be stuck, and what runs is to end.
  const ended = await endJobs(found, io)
  if (!ended.ok) {
    printDiagnostics(ended.error, run, io)
    return ExitCode.failed
  }
  const settled = await onceFree(stateDirOfRun(found), io, (locked) => settle(run, flags, by, locked))
  if (settled.ok) return settled.value
  printDiagnostics(settled.error, run, io)
  io.stderr(
    `${record.executor === 'slurm' ? 'No jobs of the run are left. ' : ''}Say \`soxplan cancel ${record.run}\` again when that process is gone.\n`,
  )
  return ExitCode.failed
}

/** A line or two on what is about to end. */
async function whatItIs(run: KnownRun, io: CommandIo): Promise<string> {
  const { record, state } = run
  const base = `Run ${record.run} of plan ${record.plan}`
  if (record.executor === 'local') return `${base}, on one machine.\n`
  const tickets = [...ticketsOf(state).values()]
  const sightings = [...(await executorFor(record, run.paths, io).look(tickets)).values()]
  if (sightings.some(({ phase }) => phase === 'unknown'))
    return `${base}: squeue does not say what of it still runs.\n`
  return `${base}: ${formatPlural(sightings.filter(isAlive).length, 'job')} in the queue.\n`
}

/** Found by name, so that jobs nobody recorded end as well. */
async function endJobs({ record, paths }: KnownRun, io: CommandIo): Promise<Result<undefined>> {
  return record.executor === 'slurm' ? executorFor(record, paths, io).cancel() : ok(undefined)
}

/** Waits for the lock, whose holder ends what it drives. Fails SX601 when it does not in time. */
async function onceFree(
  stateDir: string,
  io: CommandIo,
  work: (io: CommandIo) => Promise<number>,
): Promise<Result<number>> {
  for (let second = 0; ; second++) {
    const done = await withLock(stateDir, io, work)
    if (done.ok || second === WAIT_SECONDS || io.interrupt.aborted) return done
    if (second === 1) io.stderr('Waiting for the soxplan that drives it …\n')
    await sleep(1000)
  }
}

/** Nobody drives it any more: what came in between is ended, too, and what is half done goes. */
async function settle(run: string, flags: CancelFlags, by: string, io: CommandIo): Promise<number> {
  const refuse = (diagnostics: readonly Diagnostic[]): number => {
    printDiagnostics(diagnostics, run, io)
    return ExitCode.failed
  }
  const found = await findRun(run, flags, io)
  if (!found.ok) return refuse(found.error)
  const { record, paths, state } = found.value
  const ended = await endJobs(found.value, io)
  if (!ended.ok) return refuse(ended.error)
  const isOver = state.end !== 'open'
  if (!isOver && state.cancelledBy === undefined) await note(found.value, { kind: 'cancelled', by }, io)
  await forgetCancelRequest(paths)
  await releaseDestinations(record)
  const tidied = flags.keep === true || (await tidy(found.value, io))
  if (state.end === 'finished')
    io.stdout(`Run ${record.run} was over already; nothing of it is left to end.\n`)
  else if (isOver || !state.hasRun) io.stdout(`Run ${record.run} is cancelled. Nothing of it ever ran.\n`)
  else io.stdout(`Run ${record.run} is cancelled. ${goesOnText(record)}\n`)
  if (tidied) return ExitCode.ok
  io.stderr(
    `What it left half done may still be there: \`soxplan clean ${record.run} --keep\` looks again and removes it.\n`,
  )
  return io.interrupt.aborted ? ExitCode.interrupted : ExitCode.failed
}

/** Removes what is half done, and says so. False: not all of it, as far as anybody knows. A place that does not answer may be waited for with Ctrl-C at hand. */
async function tidy(run: KnownRun, io: CommandIo): Promise<boolean> {
  io.stderr('Looking for half files and broken uploads …\n')
  const removed = await removeLeftovers(run.record, run.paths, 'nothing', io)
  if (io.interrupt.aborted) return false
  if (!removed.ok) {
    printDiagnostics(removed.error, run.record.run, io)
    return false
  }
  io.stdout(removedText(removed.value))
  return true
}
