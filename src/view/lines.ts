/** Progress as plain lines, for logs, CI and terminals alike: one line when something has moved, a heartbeat when nothing has. */

import type { Step } from '../graph/step.ts'
import { launchFailed, waitsForRoom } from '../run/executor.ts'
import type { Progress, StepProgress } from '../run/progress.ts'
import { entriesOf, tallyOf } from '../run/progress.ts'
import { formatBytes, formatCount, formatPlural, formatRate, formatSeconds } from './format.ts'

/** A line at most this often while a step runs, and at least this often while it stands still. */
const LINE_MILLIS_MIN = 2000
const HEARTBEAT_MILLIS = 60_000
/** So much of a step is to be behind it before the rest is foretold: a few small files say nothing of a large one. */
const SHARE_TO_JUDGE_BY = 0.001

export interface LinePrinter {
  /** Lines to print for this look at the run; often none. */
  next(progress: Progress): readonly string[]
}

/** Remembers what it has printed, so that lines come when something changed, and rates count from where this life of the run began. */
export function createLinePrinter(): LinePrinter {
  const last = new Map<string, { news: string; atMillis: number; isOver: boolean }>()
  const starts = new Map<string, Stretch>()
  return {
    next: (progress) =>
      progress.steps.flatMap((step) => {
        const id = step.step.id
        const now: Stretch = {
          millis: progress.elapsedMillis,
          bytes: bytesOf(step),
          share: costShare(step),
        }
        if (step.sighting?.phase === 'running' && !starts.has(id)) starts.set(id, now)
        // A time left that grows while nothing moves is no news.
        const news = stepText(step, '')
        if (news === undefined) return []
        const before = last.get(id)
        const isOver = step.outcome !== undefined
        const age = progress.elapsedMillis - (before?.atMillis ?? -Infinity)
        const isDue =
          before === undefined ||
          isOver ||
          age >= HEARTBEAT_MILLIS ||
          (before.news !== news && age >= LINE_MILLIS_MIN)
        if (!isDue || before?.isOver === true) return []
        last.set(id, { news, atMillis: progress.elapsedMillis, isOver })
        return [stepText(step, paceText(starts.get(id) ?? now, now)) ?? news]
      }),
  }
}

/** How far a step is at one moment. `share` of its cost, 0 to 1. */
interface Stretch {
  readonly millis: number
  readonly bytes: number
  readonly share: number
}

/** `, 12.0 MiB/s, 1m05s left`, each once there is something to judge by. */
function paceText(start: Stretch, now: Stretch): string {
  const seconds = (now.millis - start.millis) / 1000
  const share = now.share - start.share
  if (seconds <= 1 || share <= 0) return ''
  const rate = `, ${formatRate((now.bytes - start.bytes) / seconds)}`
  if (share < SHARE_TO_JUDGE_BY) return rate
  return `${rate}, ${formatSeconds((seconds * (1 - now.share)) / share)} left`
}

const verbs: Readonly<Record<Step['stage'], string>> = {
  copy: 'copied',
  fixup: 'set',
  verify: 'proven',
  prune: 'deleted',
  directories: 'set',
}

/** One step as a line, as it is at this moment; undefined where nothing is to be said: it waits for what is before it. */
export function stepText(progress: StepProgress, pace: string): string | undefined {
  const { step, sighting, outcome } = progress
  const tally = tallyOf(progress)
  const totalBytes = totalBytesOf(step)
  const totalEntries = step.shards.reduce((sum, shard) => sum + entriesOf(shard), 0)
  const verb = verbs[step.stage]
  const bytes = bytesOf(progress)
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
  if (sighting === waitsForRoom)
    return `${step.id}: not in the queue yet, because the submit limit of your account is reached`
  if (sighting.phase === 'waiting')
    return isOrdinary(sighting.reason)
      ? undefined
      : `${step.id}: waiting in the queue (${waitingWords(sighting.reason)})`
  if (sighting.phase === 'unknown')
    return `${step.id}: the queue does not answer; ${counts}${failures} by the marks`
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
  [launchFailed]: 'a node could not start it, and Slurm holds it until an apply or resume lets it go',
  PartitionTimeLimit: '`time` in the plan is over the limit of the partition: it will not start',
  PartitionNodeLimit: 'the partition does not allow that many nodes: it will not start',
  PartitionDown: 'the partition is down',
  PartitionInactive: 'the partition is inactive',
}

function waitingWords(reason: string): string {
  return reasonWords[reason] ?? reason
}

function totalBytesOf(step: Step): number {
  return step.shards.reduce((sum, shard) => sum + shard.bytes, 0)
}

function bytesOf(progress: StepProgress): number {
  return Math.min(tallyOf(progress).bytes + progress.bytesUnderWay, totalBytesOf(progress.step))
}

/** How much of the step's cost is behind it: among small files bytes say little about the time left. */
function costShare({ step, marks, bytesUnderWay }: StepProgress): number {
  const totalBytes = totalBytesOf(step)
  const over = new Set(marks.map(({ shard }) => shard))
  const cost = (all: Step['shards']): number => all.reduce((sum, shard) => sum + shard.costSeconds, 0)
  const total = cost(step.shards)
  const done = cost(step.shards.filter(({ id }) => over.has(id)))
  const underWay = totalBytes > 0 ? (bytesUnderWay / totalBytes) * total : 0
  return total > 0 ? Math.min(1, (done + underWay) / total) : 0
}
