/** `soxplan logs [RUN] [STEP]`: where the logs of a run are, and the last lines of those that tell what went wrong. */

import path from 'node:path'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { lastLinesOf, listLogs } from '../edge/step-logs.ts'
import type { AttemptLog, LogFile, StepLogs } from '../edge/step-logs.ts'
import type { KnownRun } from '../edge/unfinished.ts'
import type { Step } from '../graph/step.ts'
import { formatBytes, formatCount, formatPlural } from '../view/format.ts'
import { ExitCode } from './exit-code.ts'
import { findRun, runToRead } from './find-run.ts'
import type { RunFlags } from './find-run.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'

export interface LogsFlags extends RunFlags {
  /** Every attempt at this shard, and nothing else. */
  readonly shard?: string
  /** Of each log. */
  readonly lines?: number
}

const LINES = 40
/** Of each kind, in the list of a step's logs. */
const LOGS_LISTED = 20

/**
 * `run`: as for `status`; a step alone is one of the newest run. Without a step: which logs there are. With one: the end of
 * its workers' logs and of those attempts that went wrong or are under way. Exit codes: 0, or 2 for a run, step or shard
 * that is not there (SX607, SX614).
 */
export async function logsCommand(
  run: string | undefined,
  step: string | undefined,
  flags: LogsFlags,
  io: CommandIo,
): Promise<number> {
  const newest = run !== undefined && step === undefined ? await findRun(undefined, flags, io) : undefined
  if (newest?.ok === true && newest.value.record.steps.some(({ id }) => id === run))
    return logsCommand(undefined, run, flags, io)
  const found = await runToRead(run, flags, io)
  if (typeof found === 'number') return found
  if (step === undefined) {
    for (const one of found.record.steps) await listStep(found, one, io)
    return ExitCode.ok
  }
  const chosen = chooseStep(found, step, flags.shard)
  if (!chosen.ok) {
    printDiagnostics(chosen.error, found.record.run, io)
    return ExitCode.usage
  }
  await showStep(found, chosen.value, flags, io)
  return ExitCode.ok
}

/** Fails SX614. */
function chooseStep({ record }: KnownRun, name: string, shard: string | undefined): Result<Step> {
  const { run, steps } = record
  const step = steps.find(({ id }) => id === name)
  const known = steps.map(({ id }) => id).join(', ')
  if (step === undefined) return failWith('SX614', `Run ${run} has no step ${name}`, `Its steps: ${known}.`)
  const ids = step.shards.map(({ id }) => id)
  if (shard === undefined || ids.includes(shard)) return ok(step)
  const range = `Its shards: ${ids[0] ?? ''} to ${ids.at(-1) ?? ''}.`
  return failWith('SX614', `Step ${name} has no shard ${shard}`, range)
}

/** Attempts that somebody may want to read about. */
function troubled({ attempts }: StepLogs): readonly AttemptLog[] {
  return attempts.filter(({ result, failed }) => result !== 'done' || failed > 0)
}

/** What became of an attempt. One that has accounted for all of its shard is done, though some of that may have failed. */
function resultText({ result, failed }: AttemptLog): string {
  return failed > 0 && result === 'done'
    ? `${result}, ${formatPlural(failed, 'entry', 'entries')} failed`
    : result
}

async function listStep({ paths }: KnownRun, step: Step, io: CommandIo): Promise<void> {
  const folder = paths.stage(step)
  const logs = await listLogs(folder)
  const trouble = troubled(logs)
  const done = logs.attempts.length - trouble.length
  if (logs.workers.length + logs.attempts.length === 0) {
    io.stdout(`${step.id}: no logs yet\n`)
    return
  }
  io.stdout(`${step.id}: in ${folder}\n`)
  const line = ({ name, sizeBytes }: LogFile, what: string): string =>
    `  ${name}  ${formatBytes(sizeBytes)}${what}\n`
  const listed = [
    ...logs.workers.slice(0, LOGS_LISTED).map((log) => line(log, '')),
    ...trouble.slice(0, LOGS_LISTED).map((log) => line(log, `  ${resultText(log)}`)),
  ]
  io.stdout(listed.join(''))
  const more = Math.max(0, logs.workers.length - LOGS_LISTED) + Math.max(0, trouble.length - LOGS_LISTED)
  if (more > 0) io.stdout(`  and ${formatCount(more)} more\n`)
  if (done > 0)
    io.stdout(`  work/SHARD/ATTEMPT.log  ${formatPlural(done, 'log')} of attempts that went well\n`)
}

async function showStep(run: KnownRun, step: Step, flags: LogsFlags, io: CommandIo): Promise<void> {
  const folder = run.paths.stage(step)
  const logs = await listLogs(folder)
  const ofShard = logs.attempts.filter(({ shard }) => shard === flags.shard)
  const shown = flags.shard === undefined ? [...logs.workers, ...troubled(logs)] : ofShard
  for (const { name } of shown) {
    io.stdout(`==> ${path.join(folder, name)} <==\n`)
    for (const text of await lastLinesOf(path.join(folder, name), flags.lines ?? LINES))
      io.stdout(`${text}\n`)
  }
  if (shown.length === 0) io.stdout(`There are no logs of ${flags.shard ?? step.id} yet.\n`)
}
