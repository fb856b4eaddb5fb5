/** Which run a verb is about. */

import path from 'node:path'
import type { Diagnostic, Result } from '../diagnostic.ts'
import { failWith, ok } from '../diagnostic.ts'
import { listRuns, runPaths } from '../edge/run-folder.ts'
import { readRun } from '../edge/unfinished.ts'
import type { KnownRun } from '../edge/unfinished.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'

export interface RunFlags {
  readonly state?: string
}

/** Runs that a refusal names, and lines that a warning does. */
const RUNS_NAMED = 5
const LINES_NAMED = 5

/**
 * `run`: an id in the state folder, the beginning of one where no other begins so, the path of a run folder, or
 * undefined for the newest. Fails SX607.
 */
export async function findRun(
  run: string | undefined,
  flags: RunFlags,
  io: CommandIo,
): Promise<Result<KnownRun>> {
  const stateDir = path.resolve(io.cwd, flags.state ?? io.env['SOXPLAN_STATE'] ?? '.soxplan')
  const isPath = run?.includes('/') === true
  const known = isPath ? [] : await listRuns(stateDir)
  const meant = run === undefined ? known.slice(0, 1) : known.filter((id) => id.startsWith(run))
  const [only] = meant.length === 1 ? meant : meant.filter((id) => id === run)
  const paths = runPaths(isPath ? path.resolve(io.cwd, run) : path.join(stateDir, 'runs', only ?? run ?? ''))
  const found = isPath || only !== undefined ? await readRun(paths) : undefined
  if (found !== undefined) return ok(found)
  const candidates = (meant.length > 0 ? meant : known).slice(0, RUNS_NAMED)
  return failWith(
    'SX607',
    run === undefined
      ? `There are no runs in ${stateDir}`
      : meant.length > 1
        ? `${meant.length} runs in ${stateDir} begin with ${run}`
        : `There is no run ${run} in ${stateDir}`,
    candidates.length === 0
      ? 'Say where the runs are with --state DIR, or name the folder of the run.'
      : `Runs there: ${candidates.join(', ')}.`,
  )
}

/** The state folder that a run lies in. */
export function stateDirOfRun({ paths }: KnownRun): string {
  return path.dirname(path.dirname(paths.folder))
}

/** As `findRun`, for who only reads: else what was wrong is printed and this is the exit code. */
export async function runToRead(
  run: string | undefined,
  flags: RunFlags,
  io: CommandIo,
): Promise<KnownRun | number> {
  const found = await findRun(run, flags, io)
  if (found.ok) {
    warnOfDamage(found.value, io)
    return found.value
  }
  printDiagnostics(found.error, run ?? 'the newest run', io)
  return ExitCode.usage
}

/** What was recorded and can not be read is not missed: jobs are found by their names, and what is proven stands in the marks. */
export function warnOfDamage({ paths, record, damagedLines }: KnownRun, io: CommandIo): void {
  if (damagedLines.length === 0) return
  const lines = `line${damagedLines.length === 1 ? '' : 's'} ${damagedLines.slice(0, LINES_NAMED).join(', ')}`
  const damage: Diagnostic = {
    code: 'SX616',
    severity: 'warning',
    what: `${lines} of the journal of run ${record.run} ${damagedLines.length === 1 ? 'is' : 'are'} not what was written`,
    why: 'Jobs are found by their names, and what is proven stands in files of its own, so that the run can go on.',
    todo: `Ask who changed ${paths.events}, or whether its disk is failing.`,
  }
  printDiagnostics([damage], record.plan, io)
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
  const found = await runToRead(run, flags, io)
  if (typeof found === 'number' || flags.yes === true || io.isTerminal) return found
  const noTerminal = failWith(
    'SX001',
    'There is no terminal to ask on',
    `Run \`soxplan ${verb} RUN\` at a terminal to see what it would do, or add --yes.`,
  )
  printDiagnostics(noTerminal.error, run, io)
  return ExitCode.usage
}
