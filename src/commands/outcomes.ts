/** What became of each transfer, from its record and its marks. */

import path from 'node:path'
import type { FailedNames } from '../edge/failed-names.ts'
import type { UnsetAttribute } from '../edge/unset-attributes.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { printable } from '../inventory/printable.ts'
import type { Progress } from '../run/progress.ts'
import type { RunRecord, TransferRecord } from '../run/record.ts'
import { entriesOf } from '../run/progress.ts'
import { NAMES_SHOWN, renderReport } from '../view/report.ts'
import type { TransferOutcome } from '../view/report.ts'
import type { CommandIo } from './io.ts'
import type { Prepared, PreparedTransfer } from './prepare.ts'
import { locationText } from './preview-of.ts'

/** What the planner found of one transfer and the report still needs once the run is over. */
export function transferRecord({
  transfer,
  proof,
  survey,
  work,
  deletes,
  blockedBy,
}: PreparedTransfer): TransferRecord {
  const { same, attributes } = survey.tallies
  return {
    name: transfer.name,
    to: locationText(transfer.to),
    root: survey.destinationRoot,
    proof: proof.kind,
    provenBy: proof.words,
    there: { entries: same.files + same.symlinks + same.directories, bytes: same.bytes },
    ...(transfer.fixup === undefined
      ? {}
      : { onlyAttributes: attributes.files + attributes.symlinks + attributes.directories }),
    refused: { count: survey.refused.count, named: survey.refused.named.slice(0, NAMES_SHOWN) },
    unlisted: survey.listingErrors,
    ...(deletes?.kind === 'withheld' ? { deletesWithheld: deletes.why } : {}),
    ...(blockedBy === undefined
      ? {}
      : {
          blocked: {
            by: blockedBy,
            entries: (work?.plan.shards ?? []).reduce((sum, one) => sum + entriesOf(one), 0),
          },
        }),
  }
}

/**
 * @param givenUp names that the workers gave up on, by transfer
 * @param unset what fixups could not set, by transfer
 */
export function outcomesOf(
  record: RunRecord,
  paths: RunPaths,
  progress: Progress,
  givenUp: FailedNames['givenUp'],
  unset: ReadonlyMap<TransferRecord['name'], readonly UnsetAttribute[]>,
): readonly TransferOutcome[] {
  return record.transfers.map((transfer) => {
    const steps = progress.steps.filter(({ step }) => step.transfer.name === transfer.name)
    const lost = steps.find(({ outcome }) => outcome === 'lost')
    const { count, first } = givenUp.get(transfer.name) ?? { count: 0, first: [] }
    return {
      ...beforeAnythingRan(transfer),
      failed: { count, named: first.map((entry) => ({ ...entry, path: printable(entry.path) })) },
      notPreserved: (unset.get(transfer.name) ?? []).map(({ attribute, count: all, first: some }) => ({
        attribute,
        count: all,
        named: some.map(printable),
      })),
      steps,
      ...(lost === undefined ? {} : { lostLogs: path.join(paths.stage(lost.step), 'logs') }),
    }
  })
}

function beforeAnythingRan(transfer: TransferRecord): TransferOutcome {
  const {
    name,
    to,
    proof,
    provenBy,
    there,
    onlyAttributes = 0,
    refused,
    unlisted,
    deletesWithheld,
    blocked,
  } = transfer
  return {
    name,
    to,
    provenBy: proof === 'none' ? undefined : provenBy,
    there,
    onlyAttributes,
    refused: {
      count: refused.count,
      named: refused.named.map(({ path, reason }) => ({ path: printable(path), reason })),
    },
    unlisted,
    ...(deletesWithheld === undefined ? {} : { deletesWithheld }),
    ...(blocked === undefined ? {} : { blocked }),
    failed: { count: 0, named: [] },
    notPreserved: [],
    steps: [],
  }
}

/** Nothing is work and nothing was refused: says where everything is. */
export function reportNothingToDo(prepared: Prepared, io: CommandIo): void {
  const outcomes = prepared.transfers.map((item) => beforeAnythingRan(transferRecord(item)))
  io.stdout(`\n${renderReport(outcomes, undefined)}Nothing is left to do.\n`)
}
