/** `soxplan resume RUN`: goes on with a run from its own folder, without its plan file. */

import type { Diagnostic, Result } from '../diagnostic.ts'
import { failWith, ok } from '../diagnostic.ts'
import { knownRuns, unfinishedOf } from '../edge/unfinished.ts'
import type { KnownRun } from '../edge/unfinished.ts'
import { ExitCode } from './exit-code.ts'
import { findRun, runToChange, stateDirOfRun } from './find-run.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'
import { checkNoOtherRun } from './other-runs.ts'
import { resumeRun } from './resume-run.ts'
import { withLock } from './with-lock.ts'

export interface ResumeFlags {
  readonly state?: string
  readonly yes?: boolean
  readonly detach?: boolean
  readonly partialSubmit?: boolean
  readonly slots?: number
}

/** `run`: an id in the state folder, or the path of a run folder. Exit codes are those of `apply`. */
export async function resumeCommand(run: string, flags: ResumeFlags, io: CommandIo): Promise<number> {
  const found = await runToChange(run, 'resume', flags, io)
  if (typeof found === 'number') return found
  const refuse = (diagnostics: readonly Diagnostic[], code: number): number => {
    printDiagnostics(diagnostics, run, io)
    return code
  }
  if (flags.detach === true && found.record.executor === 'local') return refuse([noDetach], ExitCode.usage)
  const stateDir = stateDirOfRun(found)
  const resumed = await withLock(stateDir, io, (locked) => resumeLocked(run, flags, stateDir, locked))
  if (!resumed.ok) return refuse(resumed.error, ExitCode.failed)
  return resumed.value.ok ? resumed.value.value : refuse(resumed.value.error, ExitCode.failed)
}

/** Looks at the run again: whoever had the lock before may have finished it. */
async function resumeLocked(
  run: string,
  flags: ResumeFlags,
  stateDir: string,
  io: CommandIo,
): Promise<Result<number>> {
  const found = await findRun(run, flags, io)
  if (!found.ok) return found
  const open = checkOpen(found.value)
  if (!open.ok) return open
  const { record } = found.value
  const others = unfinishedOf(await knownRuns(stateDir)).filter((other) => other.record.run !== record.run)
  const places = record.transfers.map(({ to }) => to)
  const free = await checkNoOtherRun(others, places, io)
  if (io.interrupt.aborted) return ok(ExitCode.interrupted)
  if (!free.ok) return free
  const answer = await resumeRun(found.value, {
    io,
    isSure: flags.yes === true,
    detach: flags.detach === true,
    partialSubmit: flags.partialSubmit === true,
    slots: flags.slots,
    orElse: '',
  })
  if (answer.kind === 'refused') return { ok: false, error: answer.diagnostics }
  if (answer.kind === 'ended') return ok(answer.exitCode)
  io.stderr(`Nothing of run ${record.run} ever ran. \`soxplan apply\` with its plan starts it anew.\n`)
  return ok(ExitCode.failed)
}

function checkOpen({ record, state }: KnownRun): Result<undefined> {
  if (state.end === 'open') return ok(undefined)
  const why = {
    finished: 'All of it is accounted for: delivered and proven, or failed by name.',
    withdrawn: 'Nothing of it ran, or a newer run of its plan took its place.',
  }[state.end]
  return failWith(
    'SX611',
    `Run ${record.run} is over`,
    'Apply its plan again: what is there is not copied twice, and what failed is tried again.',
    why,
  )
}

export const noDetach: Diagnostic = {
  code: 'SX002',
  severity: 'error',
  what: '--detach needs Slurm: workers on this machine end with soxplan',
  todo: 'Leave --detach out, or start it in tmux.',
}
