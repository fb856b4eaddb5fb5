/** What became of each transfer, from its record and its marks. */

import path from 'node:path'
import { readFailed } from '../edge/marks.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import type { Survey } from '../edge/survey.ts'
import { printable } from '../inventory/printable.ts'
import type { Progress, StepProgress } from '../run/progress.ts'
import type { RunRecord } from '../run/record.ts'
import { failedCount, renderReport } from '../view/report.ts'
import type { FailedName, TransferOutcome } from '../view/report.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'
import type { Prepared } from './prepare.ts'
import { locationText } from './preview-of.ts'

const NAMES_SHOWN = 20

/** Entries that failed before anything ran. Special files are skipped by design and are no failure. */
export function failedInPlan(survey: Survey): number {
  return survey.refused.count + survey.listingErrors.count
}

export async function outcomesOf(
  record: RunRecord,
  paths: RunPaths,
  progress: Progress,
): Promise<readonly TransferOutcome[]> {
  const outcomes: TransferOutcome[] = []
  for (const { name, to, proof, provenBy, there, failedInPlan: before } of record.transfers) {
    const steps = progress.steps.filter(({ step }) => step.transfer.name === name)
    const failed: FailedName[] = []
    let count = 0
    for (const step of steps) {
      const names = await failedNamesOf(step, paths)
      // The verify stage repeats nothing that the copy stage gave up on, so both lists together are each name once.
      count += names.length
      failed.push(...names.slice(0, NAMES_SHOWN - failed.length))
    }
    outcomes.push({
      name,
      to,
      provenBy: proof === 'none' ? undefined : provenBy,
      there,
      failedInPlan: before,
      failed: { count, named: failed },
      steps,
    })
  }
  return outcomes
}

async function failedNamesOf(progress: StepProgress, paths: RunPaths): Promise<readonly FailedName[]> {
  const folder = paths.stage(progress.step)
  const lists = await Promise.all(
    progress.marks
      .filter((mark) => mark.failed > 0)
      .map(async (mark) => {
        const logPath = path.join(folder, 'work', mark.shard, `${mark.attempt}.log`)
        const entries = await readFailed(folder, mark)
        return entries.map((entry) => ({ path: printable(entry.path), failure: entry.failure, logPath }))
      }),
  )
  return lists.flat()
}

/** Nothing is work: says where everything is, and ends 1 when the plan itself had to refuse something. */
export function reportNothingToDo(prepared: Prepared, io: CommandIo): number {
  const outcomes = prepared.transfers.map(({ transfer, survey }): TransferOutcome => {
    const { same } = survey.tallies
    return {
      name: transfer.name,
      to: locationText(transfer.to),
      provenBy: undefined,
      there: { entries: same.files + same.directories + same.symlinks, bytes: same.bytes },
      failedInPlan: failedInPlan(survey),
      failed: { count: 0, named: [] },
      steps: [],
    }
  })
  io.stdout(`\n${renderReport(outcomes, undefined)}`)
  const failed = outcomes.reduce((sum, outcome) => sum + failedCount(outcome), 0)
  if (failed === 0) io.stdout('Nothing is left to do.\n')
  return failed === 0 ? ExitCode.ok : ExitCode.failed
}
