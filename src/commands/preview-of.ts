/** What was planned, as the data of the preview. */

import type { Diagnostic } from '../diagnostic.ts'
import { resourceArgs } from '../executor/slurm/directives.ts'
import { printable } from '../inventory/printable.ts'
import type { Tally } from '../inventory/summary.ts'
import type { Location, Plan, Transfer } from '../plan/plan.ts'
import { optionWarnings } from '../tools/options.ts'
import { routeOf } from '../tools/rclone-place.ts'
import { formatBytes, formatCount, formatPlural } from '../view/format.ts'
import type {
  CountOf,
  DeletesPreview,
  NamedReasons,
  Preview,
  TransferPreview,
  WorkPreview,
} from '../view/preview-model.ts'
import { countOf as countOfDeletes, type PlannedDeletes } from './deletes.ts'
import type { Place } from './place.ts'
import type { PlannedWork, Prepared, PreparedTransfer } from './prepare.ts'

/** Names shown per list; `--json` and the report have more. */
const NAMES_SHOWN = 10

/** Above this, max over mean, somebody may ask why. */
const UNEVEN_RATIO = 1.05

export function previewOf(
  plan: Plan,
  file: string,
  prepared: Prepared,
  { executor, startsAt, warnings: ofPlace, workersMax }: Place,
  warnings: readonly Diagnostic[],
  now: Date,
): Preview {
  const transfers = prepared.transfers.map(transferPreview)
  return {
    version: 1,
    plan: plan.name,
    file,
    executor,
    transfers,
    steps: prepared.graph.steps.map((step) => {
      const isJob = executor === 'slurm' && step.transfer.where !== 'login'
      // What stands behind others starts when they have ended.
      const isRoot = prepared.graph.parents(step.id).length + step.afterJobs.length === 0
      const start = isJob && isRoot ? startsAt.get(step.id) : undefined
      return {
        id: step.id,
        after: [...prepared.graph.parents(step.id), ...step.afterJobs.map(jobText)],
        shards: step.shards.length,
        workers: step.workers,
        ...(executor === 'slurm' && !isJob ? { isFirstHere: true as const } : {}),
        resources: isJob ? resourceArgs(step.transfer.slurm[step.stage], step) : [],
        ...(start === undefined ? {} : { startsAt: `${start}Z` }),
      }
    }),
    warnings: [
      ...[...warnings, ...ofPlace].map(({ what, todo }) => `${what}. ${todo}`),
      ...fewerWorkers(plan, workersMax),
      ...prepared.transfers.flatMap(({ transfer, work }) =>
        work === undefined
          ? []
          : optionWarnings(transfer, work.tool.version).map(({ what, todo }) => `${what}. ${todo}`),
      ),
      ...prepared.transfers.flatMap(warningsOf),
      ...expiryWarnings(prepared, transfers, now),
    ],
  }
}

/** Slurm takes no larger arrays, and workers pull. */
function fewerWorkers({ transfers }: Plan, workersMax = Infinity): readonly string[] {
  return transfers
    .filter(({ where, nodes }) => where === 'slurm' && nodes > workersMax)
    .map(
      ({ name, nodes }) =>
        `${name}: ${formatCount(workersMax)} workers instead of ${formatCount(nodes)}, because Slurm takes no larger array here (MaxArraySize)`,
    )
}

/** As the plan names it. */
function jobText(id: string): string {
  return `afterok:${id}`
}

/** `endpoint:path`, or the path of a disk, printable. */
export function locationText(location: Location): string {
  return printable(rawLocation(location))
}

/** As latin1 text of its bytes, like all paths. */
function rawLocation(location: Location): string {
  const text = location.kind === 'local' ? location.path : `${location.endpoint}:${location.path}`
  return Buffer.from(text).toString('latin1')
}

function transferPreview(item: PreparedTransfer): TransferPreview {
  const { transfer, survey, proof, work, deletes, blockedBy } = item
  return {
    name: transfer.name,
    from: locationText(transfer.from),
    to: locationText(transfer.to),
    ...mappingOf(item),
    fates: {
      new: countOf(survey.tallies.new),
      changed: countOf(survey.tallies.changed),
      check: countOf(survey.tallies.check),
      attributes: countOf(survey.tallies.attributes),
      same: countOf(survey.tallies.same),
    },
    skipped: shown(survey.skipped),
    refused: shown(survey.refused),
    ...(survey.emptyDirectories.count === 0 ? {} : { empty: shown(survey.emptyDirectories) }),
    listingErrors: {
      count: survey.listingErrors.count,
      lines: survey.listingErrors.lines.slice(0, NAMES_SHOWN),
    },
    filtered: survey.filtered,
    ...(work === undefined || work.plan.shards.length === 0 ? {} : { work: workPreview(work, item) }),
    ...(deletes?.kind === 'planned' ? { deletes: deletesPreview(deletes) } : {}),
    ...(deletes?.kind === 'withheld' ? { deletesWithheld: deletes.why } : {}),
    ...fixupPreview(transfer),
    proof: {
      kind: proof.kind,
      sentence: proof.kind === 'none' ? 'none: the plan says `verify: none`' : proof.words,
    },
    after: [...transfer.after, ...transfer.afterJobs.map(jobText)],
    ...(blockedBy === undefined ? {} : { blockedBy }),
  }
}

function deletesPreview(deletes: PlannedDeletes): DeletesPreview {
  const { files, directories, symlinks, others, bytes, entries, first, file } = deletes
  return {
    count: countOfDeletes(deletes),
    ...{ files, directories, symlinks, others, bytes, entries, first },
    ...(file === undefined ? {} : { file }),
  }
}

function fixupPreview({ from, fixup }: Transfer): Pick<TransferPreview, 'fixup'> {
  if (fixup === undefined) return {}
  const { preserve, owners } = fixup
  return { fixup: { from: locationText(fixup.from ?? from), preserve, owners } }
}

function workPreview(
  { tool, rates, plan, workers }: PlannedWork,
  { transfer: { bandwidth }, survey }: PreparedTransfer,
): WorkPreview {
  const route = routeOf(survey.sourceRoot, survey.destinationRoot)
  const shared = plan.shards.reduce((sum, shard) => sum + shard.costSeconds, 0) / Math.max(1, workers)
  const bytes = plan.shards.reduce((sum, shard) => sum + shard.bytes, 0)
  // The heaviest shard is one worker's, however many there are, and the plan's limit is that of all of them.
  const limited = bandwidth === undefined ? 0 : bytes / bandwidth
  const seconds = Math.max(shared, plan.balance.maxSeconds, limited)
  const { ratio, dominant, undivided } = plan.balance
  return {
    tool: { name: tool.name, version: tool.version.text, reason: tool.reason },
    ...(route === undefined ? {} : { route }),
    shards: plan.shards.length,
    balance: {
      ratio,
      ...(dominant === undefined
        ? {}
        : { dominant: { path: printable(dominant.path), sizeBytes: dominant.sizeBytes } }),
      ...(undivided === undefined
        ? {}
        : {
            undivided: {
              ...undivided,
              path: undivided.path === '' ? 'the source itself' : `${printable(undivided.path)}/`,
            },
          }),
    },
    workers,
    estimate: {
      seconds,
      bytesPerSecond: seconds > 0 ? bytes / seconds : 0,
      assumed: `${formatBytes(rates.bytesPerSecond)}/s and ${formatCount(rates.filesPerSecond)} files/s per worker${bandwidth === undefined ? '' : `, ${formatBytes(bandwidth)}/s in all`}`,
    },
  }
}

/** One real entry and where it lands. */
function mappingOf({ survey }: PreparedTransfer): Pick<TransferPreview, 'mapping'> {
  const { sample, single, sourceRoot, destinationRoot } = survey
  if (sample === undefined) return {}
  const join = (location: Location, name: string): string =>
    printable(`${rawLocation(location).replace(/\/$/, '')}/${name}`)
  return {
    mapping: {
      from: join(sourceRoot, sample),
      to: join(destinationRoot, single === undefined ? sample : latin1(single.to)),
    },
  }
}

/** Text as the paths of a survey are: one character per byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function countOf({ files, directories, symlinks, bytes }: Readonly<Tally>): CountOf {
  return { files, directories, symlinks, bytes }
}

function shown(list: PreparedTransfer['survey']['skipped']): NamedReasons {
  return {
    count: list.count,
    named: list.named.slice(0, NAMES_SHOWN).map(({ path, reason }) => ({ path: printable(path), reason })),
  }
}

/** A copy that was made by hand without its times looks like this, and may be 20 TiB. */
function timeOnlyWarning(name: string, { files, bytes }: PreparedTransfer['survey']['timeOnly']): string {
  return (
    `${name}: ${formatPlural(files, 'file')} (${formatBytes(bytes)}) there ${files === 1 ? 'differs' : 'differ'} in nothing but the modification time, ` +
    'and would be copied again; `compare: size` takes them as they are, `compare: checksum` reads both sides.'
  )
}

function warningsOf({ transfer, proof, survey, work }: PreparedTransfer): readonly string[] {
  const name = transfer.name
  const isLinkedAfter = transfer.fixup?.preserve.includes('hardlinks') === true
  const lostLinks = work?.tool.name === 'rclone' && survey.tree.hasHardLinks && !isLinkedAfter
  return [
    ...(proof.blind === undefined ? [] : [`${name}: the proof is ${proof.words}; ${proof.blind}.`]),
    ...(survey.comparison === 'size'
      ? [
          `${name}: what is there already is compared by size alone; a file that changed without changing its size looks the same.`,
        ]
      : []),
    ...(survey.linksByLength === 0
      ? []
      : [
          `${name}: ${formatPlural(survey.linksByLength, 'symlink')} on the remote ${survey.linksByLength === 1 ? 'is' : 'are'} compared by the length of what ${survey.linksByLength === 1 ? 'it leads' : 'they lead'} to, because the remote keeps no MD5; one that leads elsewhere at the same length looks the same.`,
        ]),
    ...(survey.timeOnly.files === 0 ? [] : [timeOnlyWarning(name, survey.timeOnly)]),
    ...(work?.tool.name === 'aws'
      ? [
          `${name}: aws carries whole prefixes: what appears in the source after this listing may be copied too. It keeps no modification times.`,
        ]
      : []),
    ...(work === undefined || transfer.afterJobs.length === 0
      ? []
      : [
          `${name}: the source is listed now, and not when ${transfer.afterJobs.map((id) => `job ${id}`).join(' and ')} has ended: what that changes here is reported by name, and what it adds is not copied.`,
        ]),
    ...(lostLinks
      ? [
          `${name}: rclone does not keep hard links; every name becomes a file of its own. \`tool: rsync\` keeps them.`,
        ]
      : []),
    ...(work?.tool.name === 'rsync' &&
    work.plan.shards.some((shard) => shard.hasHardLinks) &&
    work.plan.balance.ratio > UNEVEN_RATIO
      ? [`${name}: the shards are uneven, because names that are one file stay together in one shard.`]
      : []),
  ]
}

/** Keys that end before all of it is done, by the estimate, each once. */
function expiryWarnings(
  prepared: Prepared,
  transfers: readonly TransferPreview[],
  now: Date,
): readonly string[] {
  const seconds = transfers.reduce((sum, { work }) => sum + (work?.estimate.seconds ?? 0), 0)
  const end = now.getTime() + seconds * 1000
  const texts = prepared.transfers
    .flatMap(({ work }) => work?.expiries ?? [])
    .filter(({ at }) => at.getTime() < end)
    .map(
      ({ what, at }) =>
        `${what}: good until ${timeText(at)}, and all of it is expected to take until ${timeText(new Date(end))}. ` +
        'Renew it first; or renew it when it has ended and apply again: what is proven is kept.',
    )
  return [...new Set(texts)]
}

/** `2026-11-26 10:12Z` */
function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`
}
