/** Which run a verb is about. */

import path from 'node:path'
import type { Result } from '../diagnostic.ts'
import { failWith, ok } from '../diagnostic.ts'
import { readJournal } from '../edge/journal.ts'
import { listRuns, readIfThere, runPaths } from '../edge/run-folder.ts'
import type { KnownRun } from '../edge/unfinished.ts'
import { parseRecord } from '../run/record.ts'
import { fold } from '../run/state.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'

export interface RunFlags {
  readonly state?: string
}

/** Runs that a refusal names. */
const RUNS_NAMED = 5

/** `run`: an id in the state folder, or the path of a run folder. Fails SX607. */
export async function findRun(run: string, flags: RunFlags, io: CommandIo): Promise<Result<KnownRun>> {
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

/** The state folder that a run lies in. */
export function stateDirOfRun({ paths }: KnownRun): string {
  return path.dirname(path.dirname(paths.folder))
}

/**
 * The run that is to be changed, once it is sure that somebody can be asked; else what was wrong is printed and this is
 * the exit code.
 * @param verb as it is typed
 */
export async function runToChange(
  run: string,
  verb: string,
  flags: RunFlags & { readonly yes?: boolean },
  io: CommandIo,
): Promise<KnownRun | number> {
  const found = await findRun(run, flags, io)
  if (!found.ok) {
    printDiagnostics(found.error, run, io)
    return ExitCode.usage
  }
  if (flags.yes === true || io.isTerminal) return found.value
  const noTerminal = failWith(
    'SX001',
    'There is no terminal to ask on',
    `Run \`soxplan ${verb} RUN\` at a terminal to see what it would do, or add --yes.`,
  )
  printDiagnostics(noTerminal.error, run, io)
  return ExitCode.usage
}
