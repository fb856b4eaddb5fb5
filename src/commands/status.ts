/** `soxplan runs` and `soxplan status`: what became of runs, read from their folders and the queue. They change nothing. */

import path from 'node:path'
import { isThere } from '../edge/files.ts'
import { knownRuns } from '../edge/unfinished.ts'
import { tallyOf } from '../run/progress.ts'
import type { Progress } from '../run/progress.ts'
import type { Standing } from '../run/standing.ts'
import { failedCount, renderReport } from '../view/report.ts'
import { renderRuns, renderStatus } from '../view/standing.ts'
import type { RunLine } from '../view/standing.ts'
import { ExitCode } from './exit-code.ts'
import { runToRead } from './find-run.ts'
import type { RunFlags } from './find-run.ts'
import type { CommandIo } from './io.ts'
import { lookAtRun, outcomesSeen, progressOf } from './look-at-run.ts'
import type { SeenRun } from './look-at-run.ts'

/** Of the records that `--json` prints, a line each; the first says it. `schemas/runs.schema.json` describes them. */
const JSON_VERSION = 1

export interface ReadFlags extends RunFlags {
  readonly json?: boolean
}

function lineOf({ run: { record }, standing }: SeenRun): RunLine {
  const { run, plan, executor, createdAt } = record
  return { run, plan, executor, createdAt, standing }
}

function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

/** Exit code 0, whatever the runs are. */
export async function runsCommand(flags: ReadFlags, io: CommandIo): Promise<number> {
  const stateDir = path.resolve(io.cwd, flags.state ?? io.env['SOXPLAN_STATE'] ?? '.soxplan')
  const lines: RunLine[] = []
  for (const run of await knownRuns(stateDir)) lines.push(lineOf(await lookAtRun(run, io)))
  if (flags.json === true) {
    io.stdout(jsonLine({ version: JSON_VERSION, record: 'runs', stateDir }))
    for (const line of lines) io.stdout(jsonLine({ record: 'run', ...line }))
  } else if (lines.length > 0) io.stdout(renderRuns(lines))
  else
    io.stdout(
      `There are no runs in ${stateDir}. \`soxplan apply PLAN\` makes one; --state DIR names another folder.\n`,
    )
  return ExitCode.ok
}

/**
 * `run`: an id in the state folder, the path of a run folder, or undefined for the newest. Exit codes: 0 delivered,
 * 4 under way or, as nobody answers, perhaps under way, 1 anything else, 2 no such run.
 */
export async function statusCommand(
  run: string | undefined,
  flags: ReadFlags,
  io: CommandIo,
): Promise<number> {
  const found = await runToRead(run, flags, io)
  if (typeof found === 'number') return found
  const seen = await lookAtRun(found, io)
  const progress = await progressOf(seen)
  io.stdout(flags.json === true ? await asJson(seen, progress) : await asText(seen, progress))
  return exitCodeOf(seen.standing)
}

async function asText(seen: SeenRun, progress: Progress): Promise<string> {
  if (seen.standing.kind !== 'finished') return renderStatus(lineOf(seen), progress.steps, '')
  const { failedNames } = seen.run.paths
  const outcomes = await outcomesSeen(seen, progress)
  const report = renderReport(outcomes, (await isThere(failedNames)) ? failedNames : undefined)
  return renderStatus(lineOf(seen), progress.steps, report)
}

/** A record for the run, one per step, one per transfer. */
async function asJson(seen: SeenRun, progress: Progress): Promise<string> {
  const steps = progress.steps.map((step) => ({
    record: 'step',
    step: step.step.id,
    transfer: step.step.transfer.name,
    stage: step.step.stage,
    phase: step.sighting?.phase ?? null,
    outcome: step.outcome ?? null,
    shards: { all: step.step.shards.length, running: step.shardsRunning, over: step.marks.length },
    bytesUnderWay: step.bytesUnderWay,
    ...withoutShards(tallyOf(step)),
  }))
  const transfers = (await outcomesSeen(seen, progress)).map((outcome) => ({
    record: 'transfer',
    transfer: outcome.name,
    to: outcome.to,
    provenBy: outcome.provenBy ?? null,
    there: outcome.there,
    failed: seen.standing.kind === 'finished' ? failedCount(outcome) : outcome.failed.count,
    named: outcome.failed.named,
  }))
  const head = { version: JSON_VERSION, record: 'run', ...lineOf(seen) }
  return [head, ...steps, ...transfers].map(jsonLine).join('')
}

function withoutShards({ entries, bytes, failed, unaccounted }: ReturnType<typeof tallyOf>): object {
  return { entries, bytes, failed, unaccounted }
}

function exitCodeOf(standing: Standing): number {
  switch (standing.kind) {
    case 'running':
    case 'held':
    case 'unknown':
      return ExitCode.detached
    case 'finished':
      return standing.failed === 0 ? ExitCode.ok : ExitCode.failed
    case 'cancelled':
    case 'unfinished':
    case 'withdrawn':
      return ExitCode.failed
  }
}
