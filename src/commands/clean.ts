/** `soxplan clean RUN`: removes what a run left behind at its destinations, and the folder of a run that is over. */

import { rm } from 'node:fs/promises'
import type { Diagnostic, Result } from '../diagnostic.ts'
import { failWith, ok } from '../diagnostic.ts'
import { askYes } from '../edge/ask.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import type { UnfinishedRun } from '../edge/unfinished.ts'
import { printable } from '../inventory/printable.ts'
import { isAlive } from '../run/executor.ts'
import { renderLeftovers, type LeftoversShown } from '../view/leftovers.ts'
import { ExitCode } from './exit-code.ts'
import { executorFor } from './executor-for.ts'
import { runToChange, stateDirOfRun } from './find-run.ts'
import { releaseDestinations } from './hold-destinations.ts'
import type { CommandIo } from './io.ts'
import { countOf, findAll, leftoverContext, removeAll, type FoundLeftovers } from './leftovers-of.ts'
import { printDiagnostics } from './load-plan.ts'
import { silentQueue } from './other-runs.ts'
import { withLock } from './with-lock.ts'

export interface CleanFlags {
  readonly state?: string
  readonly yes?: boolean
  /** Leave the run folder where it is. */
  readonly keep?: boolean
}

/** `run`: an id in the state folder, or the path of a run folder. */
export async function cleanCommand(run: string, flags: CleanFlags, io: CommandIo): Promise<number> {
  const found = await runToChange(run, 'clean', flags, io)
  if (typeof found === 'number') return found
  const refuse = (diagnostics: readonly Diagnostic[]): number => {
    printDiagnostics(diagnostics, run, io)
    return ExitCode.failed
  }
  const locked = await withLock(stateDirOfRun(found), io, async (lockedIo) => {
    const quiet = await checkQuiet(found, lockedIo)
    return quiet.ok ? clean(found, flags, lockedIo) : quiet
  })
  if (!locked.ok) return refuse(locked.error)
  return locked.value.ok ? locked.value.value : refuse(locked.value.error)
}

async function clean(run: UnfinishedRun, flags: CleanFlags, io: CommandIo): Promise<Result<number>> {
  const { record, paths, state } = run
  const context = leftoverContext(record, io)
  const found = await findAll(record, paths, context)
  if (!found.ok) return found
  const removesFolder = state.end !== 'open' && flags.keep !== true
  io.stdout(renderLeftovers(found.value.map(shown), removesFolder ? paths.folder : undefined))
  const isNothing = countOf(found.value) === 0
  if (isNothing && !removesFolder) return ok(ExitCode.ok)
  if (
    flags.yes !== true &&
    !(await askYes('\nType yes to remove exactly this: ', io.stdin, process.stderr, io.interrupt))
  ) {
    io.stderr('Nothing was removed.\n')
    return ok(io.interrupt.aborted ? ExitCode.interrupted : ExitCode.usage)
  }
  const removed = await removeAll(found.value, context)
  if (!removed.ok) return removed
  await releaseDestinations(record)
  if (removesFolder) await rm(paths.folder, { recursive: true, force: true })
  io.stdout(removesFolder ? `Removed; run ${record.run} is gone.\n` : 'Removed.\n')
  return ok(ExitCode.ok)
}

function shown(found: FoundLeftovers): LeftoversShown {
  return { ...found, files: found.files.map((file) => ({ ...file, path: printable(file.path) })) }
}

/** Refuses while anything of the run may still write. Fails SX505 and SX608. */
async function checkQuiet(run: UnfinishedRun, io: CommandIo): Promise<Result<undefined>> {
  const { record, paths, state } = run
  if (record.executor !== 'slurm' || state.end !== 'open') return ok(undefined)
  const tickets = [...ticketsOf(state).values()]
  const sightings = [...(await executorFor(record, paths, io).look(tickets)).values()]
  if (sightings.some(({ phase }) => phase === 'unknown')) return { ok: false, error: [silentQueue(run)] }
  if (!sightings.some(isAlive)) return ok(undefined)
  return failWith(
    'SX608',
    `Run ${record.run} still has jobs`,
    `Wait for them, or end them with: soxplan cancel ${record.run}`,
    'What looks like left behind may be what they are writing.',
  )
}
