/** `soxplan clean RUN`: removes what a run left behind at its destinations, and the folder of a run that is over. */

import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Diagnostic, Result } from '../diagnostic.ts'
import { failWith, ok } from '../diagnostic.ts'
import { askYes } from '../edge/ask.ts'
import { readJournal } from '../edge/journal.ts'
import { takeLock } from '../edge/lock.ts'
import { listRuns, readIfThere, runPaths } from '../edge/run-folder.ts'
import { toolEnvironment } from '../edge/tool-probe.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import type { UnfinishedRun } from '../edge/unfinished.ts'
import { printable } from '../inventory/printable.ts'
import { isAlive } from '../run/executor.ts'
import { parseRecord } from '../run/record.ts'
import { fold } from '../run/state.ts'
import { renderLeftovers, type LeftoversShown } from '../view/leftovers.ts'
import { ExitCode } from './exit-code.ts'
import { executorFor } from './execute-run.ts'
import type { CommandIo } from './io.ts'
import { countOf, findAll, removeAll, type FoundLeftovers } from './leftovers-of.ts'
import { printDiagnostics } from './load-plan.ts'
import { silentQueue } from './other-runs.ts'

export interface CleanFlags {
  readonly state?: string
  readonly yes?: boolean
  /** Leave the run folder where it is. */
  readonly keep?: boolean
}

/** `run`: an id in the state folder, or the path of a run folder. */
export async function cleanCommand(run: string, flags: CleanFlags, io: CommandIo): Promise<number> {
  const refuse = (diagnostics: readonly Diagnostic[], code: number): number => {
    printDiagnostics(diagnostics, run, io)
    return code
  }
  const found = await findRun(run, flags, io)
  if (!found.ok) return refuse(found.error, ExitCode.usage)
  if (flags.yes !== true && !io.isTerminal) return refuse([noTerminal], ExitCode.usage)
  const stateDir = path.dirname(path.dirname(found.value.paths.folder))
  const lock = await takeLock(stateDir, io.now)
  if (!lock.ok) return refuse(lock.error, ExitCode.failed)
  try {
    const quiet = await checkQuiet(found.value, io)
    if (!quiet.ok) return refuse(quiet.error, ExitCode.failed)
    const cleaned = await clean(found.value, flags, io)
    return cleaned.ok ? cleaned.value : refuse(cleaned.error, ExitCode.failed)
  } finally {
    await lock.value.release()
  }
}

async function clean(run: UnfinishedRun, flags: CleanFlags, io: CommandIo): Promise<Result<number>> {
  const { record, paths, state } = run
  const context = {
    env: toolEnvironment(io.env, record.environmentPass),
    signal: io.interrupt,
    since: new Date(record.createdAt),
    rclonePath: record.steps.find(({ tool }) => tool.name === 'rclone')?.tool.version.path ?? 'rclone',
  }
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
  if (removesFolder) await rm(paths.folder, { recursive: true, force: true })
  io.stdout(removesFolder ? `Removed; run ${record.run} is gone.\n` : 'Removed.\n')
  return ok(ExitCode.ok)
}

function shown(found: FoundLeftovers): LeftoversShown {
  return { ...found, files: found.files.map((file) => ({ ...file, path: printable(file.path) })) }
}

async function findRun(run: string, flags: CleanFlags, io: CommandIo): Promise<Result<UnfinishedRun>> {
  const stateDir = path.resolve(io.cwd, flags.state ?? io.env['SOXPLAN_STATE'] ?? '.soxplan')
  const folder = run.includes('/') ? path.resolve(io.cwd, run) : path.join(stateDir, 'runs', run)
  const paths = runPaths(folder)
  const record = parseRecord((await readIfThere(paths.plan)) ?? '')
  if (record !== undefined) return ok({ paths, record, state: fold(await readJournal(paths.events)) })
  const known = (await listRuns(stateDir)).slice(0, RUNS_NAMED)
  return failWith(
    'SX607',
    `There is no run ${run} in ${stateDir}`,
    known.length === 0
      ? 'Say where the runs are with --state DIR, or name the folder of the run.'
      : `Runs there: ${known.join(', ')}.`,
  )
}

const RUNS_NAMED = 5

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
    `Wait for them, or end them with: scancel ${tickets.join(' ')}`,
    'What looks like left behind may be what they are writing.',
  )
}

const noTerminal: Diagnostic = {
  code: 'SX001',
  severity: 'error',
  what: 'There is no terminal to ask on',
  todo: 'Run `soxplan clean RUN` at a terminal to see what would go, or add --yes.',
}
