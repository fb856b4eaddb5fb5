/** The preview as text: symbols that occur, one fact a line, a fixed summary line at the end. */

import { deleteBlocks, runningDeletes } from './preview-deletes.ts'
import { formatBytes, formatCount, formatPlural, formatRate, formatSeconds } from './format.ts'
import type {
  CountOf,
  NamedReasons,
  Preview,
  StepPreview,
  TransferPreview,
  WorkPreview,
} from './preview-model.ts'

const LABEL_COLUMNS = 11

const routeTexts = {
  'server-side': 'server-side: the service copies, nothing comes through a node',
  streamed: 'streamed: every byte comes through a node, in and out again',
} as const

export function renderPreview(preview: Preview): string {
  const place = preview.executor === 'local' ? 'on this machine' : 'on Slurm'
  const blocks = [
    [`${preview.plan} (${preview.file}), ${place}`],
    ...deleteBlocks(preview),
    ...preview.transfers.map(transferLines),
    ...(preview.steps.length === 0 ? [] : [['Steps', ...preview.steps.map(stepLine)]]),
    ...(preview.warnings.length === 0 ? [] : [preview.warnings.map((text) => `Warning: ${text}`)]),
    [summaryLine(preview)],
  ]
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/** One line of fixed form, last in every preview. */
export function summaryLine(preview: Preview): string {
  const total = totalWork(preview)
  const refused = preview.transfers.reduce((sum, transfer) => sum + transfer.refused.count, 0)
  if (preview.steps.length === 0)
    return `Plan: nothing to do${refused === 0 ? '' : `; ${formatPlural(refused, 'entry', 'entries')} refused`}.`
  const works = preview.transfers.flatMap(({ work, blockedBy }) =>
    blockedBy === undefined ? (work ?? []) : [],
  )
  const shards = works.reduce((sum, work) => sum + work.shards, 0)
  const workers = Math.max(...preview.steps.map((step) => step.workers))
  const deletes = runningDeletes(preview).reduce((sum, transfer) => sum + transfer.deletes.count, 0)
  const seconds = works.reduce((sum, work) => sum + work.estimate.seconds, 0)
  const rate = seconds > 0 ? total.bytes / seconds : 0
  return (
    `Plan: ${formatPlural(preview.steps.length, 'step')}, ${formatPlural(shards, 'shard')} on ${formatPlural(workers, 'worker')}, ` +
    `${formatBytes(total.bytes)} in ${formatPlural(total.files, 'file')} to copy, ${formatCount(deletes)} to delete; ` +
    `est. ${formatSeconds(seconds)}${rate >= 1 ? ` at ${formatRate(rate)}` : ''}.`
  )
}

function totalWork(preview: Preview): CountOf {
  return preview.transfers
    .filter(({ work, blockedBy }) => work !== undefined && blockedBy === undefined)
    .flatMap(({ fates }) => [fates.new, fates.changed, fates.check])
    .reduce(
      (sum, one) => ({
        files: sum.files + one.files,
        directories: sum.directories + one.directories,
        symlinks: sum.symlinks + one.symlinks,
        bytes: sum.bytes + one.bytes,
      }),
      { files: 0, directories: 0, symlinks: 0, bytes: 0 },
    )
}

function transferLines(transfer: TransferPreview): readonly string[] {
  const { fates, work } = transfer
  return [
    `${transfer.name}: ${transfer.from} → ${transfer.to}`,
    ...(transfer.mapping === undefined
      ? []
      : [row('path', `${transfer.mapping.from} → ${transfer.mapping.to}`)]),
    ...(work === undefined
      ? []
      : [row('tool', `${work.tool.name} ${work.tool.version}: ${work.tool.reason}`)]),
    ...(work?.route === undefined ? [] : [row('way', routeTexts[work.route])]),
    ...fateLine('+ new', fates.new),
    ...fateLine('~ changed', fates.changed),
    ...fateLine('? check', fates.check),
    ...fateLine('@ fixup', fates.attributes, ': there already, only attributes are set'),
    ...fateLine('= there', fates.same),
    ...namedLines('- skipped', transfer.skipped),
    ...emptyLines(transfer.empty),
    ...namedLines('! refused', transfer.refused),
    ...listingLines(transfer),
    ...(transfer.filtered === 0
      ? []
      : [row('filtered', `${formatPlural(transfer.filtered, 'name')} left out by include and exclude`)]),
    ...(work === undefined ? [] : workLines(work)),
    ...(transfer.fixup === undefined ? [] : [row('fixup', fixupSentence(transfer.fixup))]),
    ...(transfer.deletesWithheld === undefined
      ? []
      : [row('deletes', `nothing, because ${transfer.deletesWithheld}`)]),
    row('proof', transfer.proof.sentence),
    ...(transfer.after.length === 0 ? [] : [row('after', transfer.after.join(', '))]),
    ...(transfer.blockedBy === undefined
      ? []
      : [row('blocked', `${transfer.blockedBy} can not be delivered in full, so nothing of this starts`)]),
  ]
}

function workLines({ tool, shards, balance, workers, estimate }: WorkPreview): readonly string[] {
  const { dominant, undivided, ratio } = balance
  return [
    row('shards', `${formatCount(shards)}, the heaviest ${ratio.toFixed(3)} times the mean`),
    ...(dominant === undefined
      ? []
      : [row('', `one file causes that: ${dominant.path} (${formatBytes(dominant.sizeBytes)})`)]),
    ...(undivided === undefined
      ? []
      : [
          row(
            '',
            `${tool.name} does not divide ${undivided.path} (${formatPlural(undivided.files, 'file')}, ${formatBytes(undivided.sizeBytes)}); rclone would`,
          ),
        ]),
    row('workers', formatCount(workers)),
    row('time', `about ${formatSeconds(estimate.seconds)} (assumed: ${estimate.assumed})`),
  ]
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_COLUMNS)}${text}`
}

function fixupSentence({ from, preserve, owners }: NonNullable<TransferPreview['fixup']>): string {
  const hasOwners = preserve.includes('owner') || preserve.includes('group')
  return `${preserve.join(', ')} as in ${from}, by rsync${hasOwners ? `; owners and groups by ${owners === 'ids' ? 'number' : 'name'}` : ''}`
}

function fateLine(label: string, count: CountOf, remark = ''): readonly string[] {
  const parts = [
    ...(count.files > 0 ? [`${formatPlural(count.files, 'file')} (${formatBytes(count.bytes)})`] : []),
    ...(count.directories > 0 ? [formatPlural(count.directories, 'directory', 'directories')] : []),
    ...(count.symlinks > 0 ? [formatPlural(count.symlinks, 'symlink')] : []),
  ]
  return parts.length === 0 ? [] : [row(label, `${parts.join(', ')}${remark}`)]
}

function namedLines(label: string, reasons: NamedReasons): readonly string[] {
  if (reasons.count === 0) return []
  const more = reasons.count - reasons.named.length
  return [
    row(label, formatPlural(reasons.count, 'entry', 'entries')),
    ...reasons.named.map(({ path, reason }) => row('', `${path}: ${reason}`)),
    ...(more > 0 ? [row('', `and ${formatCount(more)} more`)] : []),
  ]
}

/** All for one reason, which is said once. */
function emptyLines(empty: NamedReasons | undefined): readonly string[] {
  if (empty === undefined) return []
  const more = empty.count - empty.named.length
  return [
    row(
      '- empty',
      `${formatPlural(empty.count, 'directory', 'directories')} with nothing inside, which a remote does not hold`,
    ),
    ...empty.named.map(({ path }) => row('', path)),
    ...(more > 0 ? [row('', `and ${formatCount(more)} more`)] : []),
  ]
}

function listingLines({ listingErrors }: TransferPreview): readonly string[] {
  if (listingErrors.count === 0) return []
  const more = listingErrors.count - listingErrors.lines.length
  return [
    row(
      '! unread',
      `${formatPlural(listingErrors.count, 'place')} of the source could not be listed; what is there is not in this plan`,
    ),
    ...listingErrors.lines.map((line) => row('', line)),
    ...(more > 0 ? [row('', `and ${formatCount(more)} more`)] : []),
  ]
}

function stepLine(step: StepPreview): string {
  const after = step.after.length === 0 ? '' : `, after ${step.after.join(' and ')}`
  const resources = step.resources.length === 0 ? '' : `\n      ${step.resources.join(' ')}`
  const place = step.isFirstHere === true ? ', on this machine, first' : ''
  const start =
    step.startsAt === undefined ? '' : `\n      could start ${startText(step.startsAt)}, as the queue is now`
  return `  ${step.id}: ${formatPlural(step.shards, 'shard')}, ${formatPlural(step.workers, 'worker')}${place}${after}${resources}${start}`
}

/** `2026-11-26 20:52 UTC` */
function startText(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`
}
