/** Progress as plain lines, for logs, CI and terminals alike: one line when something has moved, a heartbeat when nothing has. */

import type { Progress, StepProgress } from '../run/progress.ts'
import { tallyOf } from '../run/progress.ts'
import { formatBytes, formatCount, formatPlural, formatRate, formatSeconds } from './format.ts'

/** A line at most this often while a step runs, and at least this often while it stands still. */
const LINE_MILLIS_MIN = 2000
const HEARTBEAT_MILLIS = 60_000

export interface LinePrinter {
  /** Lines to print for this look at the run; often none. */
  next(progress: Progress): readonly string[]
}

/** Remembers what it has printed, so that lines come when something changed, and rates are those of the last stretch. */
export function createLinePrinter(): LinePrinter {
  const last = new Map<string, { line: string; atMillis: number; isOver: boolean }>()
  const startMillis = new Map<string, number>()
  return {
    next: (progress) =>
      progress.steps.flatMap((step) => {
        const id = step.step.id
        if (step.sighting?.phase === 'running' && !startMillis.has(id))
          startMillis.set(id, progress.elapsedMillis)
        const text = stepText(step, progress.elapsedMillis - (startMillis.get(id) ?? progress.elapsedMillis))
        if (text === undefined) return []
        const before = last.get(id)
        const isOver = step.outcome !== undefined
        const age = progress.elapsedMillis - (before?.atMillis ?? -Infinity)
        const isDue =
          before === undefined ||
          isOver ||
          age >= HEARTBEAT_MILLIS ||
          (before.line !== text && age >= LINE_MILLIS_MIN)
        if (!isDue || before?.isOver === true) return []
        last.set(id, { line: text, atMillis: progress.elapsedMillis, isOver })
        return [text]
      }),
  }
}

/** @param elapsedMillis since the step was first seen running */
function stepText(progress: StepProgress, elapsedMillis: number): string | undefined {
  const { step, sighting, outcome } = progress
  const tally = tallyOf(progress)
  const totalBytes = step.shards.reduce((sum, shard) => sum + shard.bytes, 0)
  const totalEntries = step.shards.reduce(
    (sum, shard) => sum + shard.files + shard.directories + shard.symlinks,
    0,
  )
  const verb = step.stage === 'copy' ? 'copied' : 'proven'
  const bytes = Math.min(tally.bytes + progress.bytesUnderWay, totalBytes)
  const failed = tally.failed + tally.unaccounted
  const counts =
    `${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${formatCount(tally.entries)} of ${formatPlural(totalEntries, 'entry', 'entries')} ${verb}, ` +
    `${tally.shards}/${step.shards.length} shards`
  const failures = failed === 0 ? '' : `, ${formatCount(failed)} failed`
  if (outcome === 'accounted') return `${step.id}: ${counts}${failures}, over`
  if (outcome === 'blocked') return `${step.id}: not started, because something before it failed`
  if (outcome === 'lost')
    return `${step.id}: ${counts}${failures}, its workers are gone before all was accounted for`
  if (sighting === undefined) return undefined
  if (sighting.phase === 'held') return `${step.id}: held in the queue; \`scontrol release\` lets it go`
  if (sighting.phase === 'waiting')
    return isOrdinary(sighting.reason)
      ? undefined
      : `${step.id}: waiting in the queue (${waitingWords(sighting.reason)})`
  if (sighting.phase === 'unknown')
    return `${step.id}: the queue does not answer; ${counts}${failures} by the marks`
  const seconds = elapsedMillis / 1000
  const rate = seconds > 1 && bytes > 0 ? bytes / seconds : 0
  const pace = rate > 0 ? `, ${formatRate(rate)}, ${formatSeconds((totalBytes - bytes) / rate)} left` : ''
  return `${step.id}: ${counts}${pace}${failures}`
}

/** It stands behind another step, or Slurm has not looked at it yet. */
function isOrdinary(reason: string): boolean {
  return reason === 'Dependency' || reason === 'None'
}

/** What Slurm's most frequent reasons mean for whoever waits; the others are shown as Slurm says them. */
const reasonWords: Readonly<Record<string, string>> = {
  Priority: 'other jobs are before it',
  Resources: 'nodes are busy',
  BeginTime: 'requeued, Slurm starts it again in a while',
  JobHeldAdmin: 'held by an administrator',
  PartitionTimeLimit: '`time` in the plan is over the limit of the partition: it will not start',
  PartitionNodeLimit: 'the partition does not allow that many nodes: it will not start',
  PartitionDown: 'the partition is down',
  PartitionInactive: 'the partition is inactive',
}

function waitingWords(reason: string): string {
  return reasonWords[reason] ?? reason
}
