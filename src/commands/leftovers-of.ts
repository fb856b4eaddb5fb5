/** What a run left behind, over all its transfers. */

import { ok, type Result } from '../diagnostic.ts'
import { endUploads, findUploads, type UploadContext } from '../edge/leftover-uploads.ts'
import { findHalfFiles, namesAtRisk, removeHalfFiles, type HalfFile } from '../edge/leftovers.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { toolEnvironment } from '../edge/tool-probe.ts'
import type { Step } from '../graph/step.ts'
import type { Location } from '../plan/plan.ts'
import type { RunRecord } from '../run/record.ts'
import { placeText } from '../tools/rclone-place.ts'
import type { TransferName } from '../units.ts'
import type { CommandIo } from './io.ts'

export interface FoundLeftovers {
  readonly transfer: TransferName
  readonly place: string
  readonly root: Location
  readonly files: readonly HalfFile[]
  /** Keys whose uploads were broken off. */
  readonly uploads: readonly string[]
  /** Keys whose uploads rclone could not end without those of others. */
  readonly shared: readonly string[]
  /** False where nobody can look: a remote that is no bucket. */
  readonly isLookedAt: boolean
}

/** The stage that has the lists. */
function isFirstOf(first: Step, _index: number, steps: readonly Step[]): boolean {
  return steps.find((step) => step.transfer.name === first.transfer.name && writes(step)) === first
}

function writes({ stage }: Step): boolean {
  return stage === 'copy' || stage === 'fixup'
}

/** What of a run's record it takes to look for what it left behind. */
export function leftoverContext(record: RunRecord, io: CommandIo): UploadContext {
  return {
    env: toolEnvironment(io.env, record.environmentPass),
    signal: io.interrupt,
    since: new Date(record.createdAt),
    rclonePath: record.steps.find(({ tool }) => tool.name === 'rclone')?.tool.version.path ?? 'rclone',
  }
}

/** One entry per transfer that did anything. Fails SX341. */
export async function findAll(
  record: RunRecord,
  paths: RunPaths,
  context: UploadContext,
): Promise<Result<readonly FoundLeftovers[]>> {
  const all: FoundLeftovers[] = []
  for (const step of record.steps.filter(isFirstOf)) {
    const transfer = record.transfers.find(({ name }) => name === step.transfer.name)
    const root = transfer?.root ?? step.transfer.to
    const writing = record.steps.filter(
      (other) => other.transfer.name === step.transfer.name && writes(other),
    )
    const names = await namesAtRisk(paths, step, writing)
    const base = { transfer: step.transfer.name, place: placeText(root), root }
    const none = { files: [], uploads: [], shared: [], isLookedAt: true }
    if (root.kind === 's3') {
      const found = await findUploads(root, names, context)
      if (!found.ok) return found
      all.push({ ...base, ...none, uploads: found.value.uploads, shared: found.value.others })
    } else {
      const found = await findHalfFiles(root, names, paths.manifest(step.transfer.name), context)
      if (!found.ok) return found
      const isLookedAt = names.size === 0 || root.kind === 'local' || root.kind === 'ssh'
      all.push({ ...base, ...none, files: found.value, isLookedAt })
    }
  }
  return ok(all)
}

/** Entries that would be removed. */
export function countOf(found: readonly FoundLeftovers[]): number {
  return found.reduce((sum, { files, uploads }) => sum + files.length + uploads.length, 0)
}

/** Removes what was found. Fails SX342 at the first place that does not let it. */
export async function removeAll(
  found: readonly FoundLeftovers[],
  context: UploadContext,
): Promise<Result<undefined>> {
  for (const { root, files, uploads } of found) {
    const removed =
      root.kind === 's3'
        ? await endUploads(root, uploads, context)
        : await removeHalfFiles(root, files, context)
    if (!removed.ok) return removed
  }
  return ok(undefined)
}
