/** The last lines of a run: what was delivered, how it was proven, and what failed, by name. */

import { goesByEntry } from '../graph/step.ts'
import type { FailureClass } from '../run/mark.ts'
import type { StepProgress } from '../run/progress.ts'
import { entriesOf, tallyOf } from '../run/progress.ts'
import type { Blocked, FirstLines, FirstRefused } from '../run/record.ts'
import { formatBytes, formatCount, formatPlural } from './format.ts'
import { notPreservedLine, type NotPreserved } from './not-preserved.ts'

/** Names shown per transfer; `failed.txt` has all of them. */
export const NAMES_SHOWN = 20

/** A name that was given up on, printable, with the class the worker gave it. */
export interface FailedName {
  readonly path: string
  readonly failure: string
  readonly logPath: string
}

export interface TransferOutcome {
  readonly name: string
  readonly to: string
  /** How entries were proven, as a phrase: `size and modification time`; absent: not verified. */
  readonly provenBy: string | undefined
  /** Entries and bytes that were at the destination already when the plan looked. */
  readonly there: { readonly entries: number; readonly bytes: number }
  /** Entries that were there already and only have their attributes set. */
  readonly onlyAttributes: number
  /** Entries that the plan refused; `path` is printable. */
  readonly refused: FirstRefused
  /** Places of the source that could not be listed. */
  readonly unlisted: FirstLines
  /** Why a mirror deleted nothing, half a sentence. */
  readonly deletesWithheld?: string
  readonly blocked?: Blocked
  readonly failed: { readonly count: number; readonly named: readonly FailedName[] }
  readonly notPreserved: readonly NotPreserved[]
  /** In their order, as far as the graph has them. */
  readonly steps: readonly StepProgress[]
  /** Where the logs of workers stand that ended before all was accounted for. */
  readonly lostLogs?: string
}

/** How an attempt ends that could not look at the source or the destination: the exit codes of causes.sh, the likeliest cause first. */
const unanswered: readonly (readonly [exitCode: number, text: string])[] = [
  [
    77,
    'the keys of a bucket have expired; fetch new ones, valid until the transfer is over, then apply again',
  ],
  [78, 'the service of a bucket does not take the keys any more; correct them, then apply again'],
  [76, 'a place may not be listed any more; ask its owner for that right, then apply again'],
  [
    69,
    'a service asked for fewer requests all the time; lower `nodes` or set `maxConnections` at the endpoint, then apply again',
  ],
  [75, 'a server or a remote could not be reached any more; apply again once it answers'],
]

/** What each class of failure means and what to do, in the words of the report. */
const advice: Readonly<Record<FailureClass, string>> = {
  vanished: 'was removed from the source after the listing; apply again if that was not meant',
  changed: 'changed at the source after the listing; apply again once it stands still',
  unreadable: 'can not be read at the source; check its permissions, then apply again',
  denied: 'can not be written at the destination; check permissions there, then apply again',
  'no-space': 'did not fit on the destination; free some space, then apply again',
  'link-in-path':
    'would have been written through a symlink at the destination; remove the link, then apply again',
  'not-copied': 'was not copied; what the tool said of it stands in',
  differs:
    'differs from the source and was not written over; look at both, remove the wrong one, then apply again',
  forbidden:
    'may not be copied with this profile; ask for the right to read it at the source and to write it at the destination, then apply again',
  'no-bucket':
    'was not copied, because its bucket is gone; make it again or correct `bucket`, then apply again',
  'no-keys':
    'was not copied, because the service does not take the keys any more; correct them, then apply again',
  expired:
    'was not copied, because the keys have expired; fetch new ones, valid until the transfer is over, then apply again',
  throttled:
    'was not copied, because the service asks for fewer requests; lower `nodes` or set `maxConnections` at the endpoint, then apply again',
  'cut-off': 'was not copied, because the connection broke off each time; apply again once it holds',
  unproven: 'was copied but could not be proven equal; apply again',
  'size-differs':
    'is not the same where the fixup reads attributes, by size, kind or what it leads to, and was left as it is; look at both, then apply again',
  'no-attributes':
    'does not exist where the fixup reads attributes; correct `from` under `fixup`, or remove the file, then apply again',
  'changed-since-preview':
    'changed at the destination after the preview and was not deleted; look at it, then apply again',
  'behind-link':
    'lies behind a symlink at the destination by now and was not deleted; remove the link, then apply again',
  'not-empty': 'is not empty any more and was not deleted; apply again to see what stands in it',
  'not-deleted': 'could not be deleted; check permissions at the destination, then apply again',
}

/** Entries of a transfer that are not at the destination, proven or as asked. Places that could not be listed count as one. */
export function failedCount(outcome: TransferOutcome): number {
  const { unlisted, refused, failed, blocked } = outcome
  return unlisted.count + refused.count + failed.count + (blocked?.entries ?? 0) + unaccountedCount(outcome)
}

/** Entries that no stage has accounted for: their shard failed as a whole, or never ran. */
export function unaccountedCount(outcome: TransferOutcome): number {
  const { named, open } = undeleted(outcome)
  const last = lastDelivery(outcome)
  const undelivered = last === undefined ? 0 : openCount(last, outcome.failed.count - named)
  return undelivered + open + (undelivered === 0 ? openDirectories(outcome) : 0)
}

/** Directories are entries of the stages before as well: they count only where those are done. */
function openDirectories({ steps }: TransferOutcome): number {
  const last = steps.find(({ step }) => step.stage === 'directories')
  // What stopped it is a failure that counts already.
  return last === undefined || last.outcome === 'blocked' ? 0 : openCount(last, tallyOf(last).failed)
}

/** What a mirror was to delete and did not: by name, and without an account. */
function undeleted(outcome: TransferOutcome): { readonly named: number; readonly open: number } {
  const prune = pruneOf(outcome)
  // What is not deleted because something before has failed is no failure of its own.
  if (prune === undefined || prune.outcome === 'blocked') return { named: 0, open: 0 }
  const named = tallyOf(prune).failed
  return { named, open: openCount(prune, named) }
}

function openCount(progress: StepProgress, failed: number): number {
  const total = progress.step.shards.reduce((sum, shard) => sum + entriesOf(shard), 0)
  return Math.max(0, total - tallyOf(progress).entries - failed)
}

/** The last stage that says what was delivered. */
function lastDelivery({ steps }: TransferOutcome): StepProgress | undefined {
  return steps.findLast(({ step }) => goesByEntry(step.stage))
}

function pruneOf({ steps }: TransferOutcome): StepProgress | undefined {
  return steps.find(({ step }) => step.stage === 'prune')
}

export function renderReport(outcomes: readonly TransferOutcome[], failedFile: string | undefined): string {
  const lines = outcomes.flatMap((outcome) => outcomeLines(outcome))
  const sum = (count: (outcome: TransferOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0)
  const failed = sum(failedCount)
  if (failed === 0) return `${lines.join('\n')}\n`
  const unlisted = sum((outcome) => outcome.unlisted.count)
  const what = [
    ...(failed > unlisted ? [`${formatPlural(failed - unlisted, 'entry', 'entries')} failed`] : []),
    ...(unlisted > 0 ? [`${formatPlural(unlisted, 'place')} of the source could not be listed`] : []),
  ]
  const file = failedFile === undefined ? [] : [`All failed names: ${failedFile}`]
  const left = sum((outcome) => undeleted(outcome).named + undeleted(outcome).open)
  if (left === failed) return `${[...lines, ...file, notDeleted(left)].join('\n')}\n`
  const end = `NOT everything was delivered: ${what.join(', and ')}. Mend the causes above and apply again: only what is missing will be copied.`
  return `${[...lines, ...file, end].join('\n')}\n`
}

function notDeleted(count: number): string {
  return `Everything was delivered, but NOT everything that is too much was deleted: ${formatPlural(count, 'entry', 'entries')} left. Mend the causes above and apply again.`
}

function outcomeLines(outcome: TransferOutcome): readonly string[] {
  const named = namedLines(outcome)
  const unaccounted = unaccountedCount(outcome)
  const count = failedCount(outcome) - unaccounted - (outcome.blocked?.entries ?? 0)
  const more = count - Math.min(named.length, NAMES_SHOWN)
  return [
    headLine(outcome),
    ...named.slice(0, NAMES_SHOWN).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
    ...keptLine(outcome),
    ...(unaccounted > 0
      ? [`  ${formatPlural(unaccounted, 'entry', 'entries')} not accounted for: ${whyOpen(outcome)}`]
      : []),
    ...outcome.notPreserved.map(notPreservedLine),
  ]
}

/** What was left undone because of something else. */
function keptLine(outcome: TransferOutcome): readonly string[] {
  const prune = pruneOf(outcome)
  const why =
    outcome.deletesWithheld ??
    (prune?.outcome === 'blocked' ? 'not all else was delivered and proven' : undefined)
  return [
    ...(why === undefined ? [] : [`  nothing was deleted, because ${why}`]),
    ...(outcome.steps.some(({ step, outcome: end }) => step.stage === 'directories' && end === 'blocked')
      ? ['  attributes of directories were not set, because not all else was delivered and proven']
      : []),
  ]
}

function headLine(outcome: TransferOutcome): string {
  const last = lastDelivery(outcome)
  const prune = pruneOf(outcome)
  const gone = prune === undefined ? undefined : tallyOf(prune)
  const deleted =
    gone === undefined || gone.entries === 0
      ? ''
      : `; ${formatCount(gone.entries)} (${formatBytes(gone.bytes)}) deleted`
  const there =
    outcome.there.entries === 0
      ? ''
      : `; ${formatCount(outcome.there.entries)} (${formatBytes(outcome.there.bytes)}) were there already`
  if (outcome.blocked !== undefined)
    return `${outcome.name}: not started, because ${outcome.blocked.by} can not be delivered in full; ${formatPlural(outcome.blocked.entries, 'entry', 'entries')} left to do${there}`
  if (last === undefined)
    return `${outcome.name}: nothing was left to ${prune === undefined ? 'do in' : 'copy to'} ${outcome.to}${deleted}${there}`
  const tally = tallyOf(last)
  if (!outcome.steps.some(({ step }) => step.stage === 'copy'))
    return `${outcome.name}: attributes of ${formatPlural(tally.entries, 'entry', 'entries')} set, in ${outcome.to}${deleted}${there}`
  const how =
    outcome.provenBy === undefined ? 'delivered, not verified' : `delivered, verified by ${outcome.provenBy}`
  const delivered = Math.max(0, tally.entries - outcome.onlyAttributes)
  const more =
    outcome.onlyAttributes === 0 ? '' : `; attributes of ${formatCount(outcome.onlyAttributes)} more set`
  return `${outcome.name}: ${formatPlural(delivered, 'entry', 'entries')} (${formatBytes(tally.bytes)}) ${how}, in ${outcome.to}${more}${deleted}${there}`
}

function namedLines({ unlisted, refused, failed }: TransferOutcome): readonly string[] {
  return [
    ...unlisted.lines.map((line) => `not listed: ${line}`),
    ...refused.named.map(({ path, reason }) => `${path}: refused, because ${reason}`),
    ...failed.named.map(({ path, failure, logPath }) => {
      const text = isKnown(failure) ? advice[failure] : `failed (${failure})`
      return `${path}: ${text}${failure === 'not-copied' ? ` ${logPath}` : ''}`
    }),
  ]
}

function isKnown(failure: string): failure is FailureClass {
  return Object.hasOwn(advice, failure)
}

function whyOpen({ steps, lostLogs = '' }: TransferOutcome): string {
  const lost = steps.find(({ outcome }) => outcome === 'lost')
  if (lost !== undefined) {
    const ended = lost.sighting?.phase === 'gone' ? (lost.sighting.ended ?? []) : []
    const how = ended.length === 0 ? '' : ` (${ended.join(', ')})`
    return `the workers of ${lost.step.id} ended${how} before they had done all; apply again to finish. Their logs: ${lostLogs}`
  }
  const failed = steps.flatMap(({ marks }) => marks).filter(({ result }) => result !== 'done')
  const cause = unanswered.find(([code]) => failed.some(({ exitCode }) => exitCode === code))
  if (cause !== undefined) return cause[1]
  if (failed.length === 0 && steps.some(({ outcome }) => outcome === 'blocked'))
    return 'a stage did not start, because something before it failed'
  return 'their shards failed as a whole; the logs in the run folder say why'
}
