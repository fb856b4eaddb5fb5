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
  if (sighting === undefined || sighting.phase === 'held') return undefined
  if (sighting.phase === 'waiting')
    return sighting.reason === 'Dependency'
      ? undefined
      : `${step.id}: waiting in the queue (${sighting.reason})`
  if (sighting.phase === 'unknown')
    return `${step.id}: the queue does not answer; ${counts}${failures} by the marks`
  const seconds = elapsedMillis / 1000
  const rate = seconds > 1 && bytes > 0 ? bytes / seconds : 0
  const pace = rate > 0 ? `, ${formatRate(rate)}, ${formatSeconds((totalBytes - bytes) / rate)} left` : ''
  return `${step.id}: ${counts}${pace}${failures}`
}
