/** Runs as lines: the list of all, and one of them in full. */

import type { ExecutorKind } from '../run/event.ts'
import type { StepProgress } from '../run/progress.ts'
import type { Standing } from '../run/standing.ts'
import { formatCount } from './format.ts'
import { stepText } from './lines.ts'

/** One run of a state folder. */
export interface RunLine {
  readonly run: string
  readonly plan: string
  readonly executor: ExecutorKind
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly standing: Standing
}

/** A few words, as they stand at the end of a line. */
export function standingText(standing: Standing): string {
  switch (standing.kind) {
    case 'finished':
      return standing.failed === 0 ? 'finished' : `finished, ${formatCount(standing.failed)} failed`
    case 'cancelled':
      return `cancelled by ${standing.by}`
    case 'withdrawn':
      return 'withdrawn: nothing of it ran, or a newer run took its place'
    case 'held':
      return 'held: handed over and not released'
    case 'unknown':
      return 'unknown: squeue does not answer'
    case 'unfinished':
      return 'unfinished: nobody works on it'
    case 'running':
      return 'running'
  }
}

function whereText(executor: ExecutorKind): string {
  return executor === 'slurm' ? 'Slurm' : 'one machine'
}

/** `2026-11-26 10:12:21Z` */
function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`
}

/** A table, newest first as given. */
export function renderRuns(lines: readonly RunLine[]): string {
  const cells = lines.map(({ run, plan, executor, createdAt, standing }) => [
    run,
    plan,
    whereText(executor),
    timeText(createdAt),
    standingText(standing),
  ])
  const rows = [['RUN', 'PLAN', 'WHERE', 'STARTED', 'STATE'], ...cells]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** What there is to do about a run in this state, as a line. */
function nextText({ run, executor, standing }: RunLine): string {
  switch (standing.kind) {
    case 'running':
      return executor === 'slurm'
        ? `\`soxplan resume ${run}\` follows it, \`soxplan cancel ${run}\` ends it.`
        : `It is shown where it was started; \`soxplan cancel ${run}\` ends it.`
    case 'held':
    case 'unfinished':
    case 'cancelled':
      return `\`soxplan resume ${run}\` goes on with what has no proof yet.`
    case 'unknown':
      return 'Ask again when `scontrol ping` says UP; what the marks prove stands above.'
    case 'finished':
      return standing.failed === 0
        ? `\`soxplan clean ${run}\` removes its folder.`
        : 'Apply its plan again: what is there is not copied twice, and what failed is tried again.'
    case 'withdrawn':
      return `\`soxplan clean ${run}\` removes its folder.`
  }
}

/** A step of which nothing is to be said waits. */
function stepLine(progress: StepProgress): string {
  return stepText(progress, '') ?? `${progress.step.id}: waiting for what is before it`
}

/**
 * All that is known of one run, and what to do next.
 * @param report the last lines of a run that is over; empty for others
 */
export function renderStatus(line: RunLine, steps: readonly StepProgress[], report: string): string {
  const { run, plan, executor, createdAt, standing } = line
  const head = `Run ${run} of plan ${plan}, on ${whereText(executor)}, since ${timeText(createdAt)}: ${standingText(standing)}`
  const body = report === '' ? steps.map((step) => `  ${stepLine(step)}\n`).join('') : report
  return `${head}\n${body}${nextText(line)}\n`
}
