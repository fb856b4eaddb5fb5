/** `plan.json` of a run folder: what was applied, frozen, so that a resumed run does exactly that and nothing else. */

import type { Step } from '../graph/step.ts'
import type { Location } from '../plan/plan.ts'
import type { ProofKind } from '../tools/proof.ts'
import type { RunId, TransferName } from '../units.ts'
import type { ExecutorKind } from './event.ts'

export const recordVersion = 1

/** How many entries the plan refused, and the first of them. `path` is latin1 text of raw bytes. */
export interface FirstRefused {
  readonly count: number
  readonly named: readonly { readonly path: string; readonly reason: string }[]
}

/** How many lines a lister complained in, and the first of them, printable. */
export interface FirstLines {
  readonly count: number
  readonly lines: readonly string[]
}

export interface Blocked {
  readonly by: TransferName
  /** What was left to do of the transfer that does not run. */
  readonly entries: number
}

/** What the planner found of one transfer and the report still needs once the run is over. */
export interface TransferRecord {
  readonly name: TransferName
  readonly to: string
  /** What the shards' names are relative to, as the survey found it. */
  readonly root: Location
  readonly proof: ProofKind
  /** How entries were proven, as the report says it. */
  readonly provenBy: string
  /** Entries that were at the destination already. */
  readonly there: { readonly entries: number; readonly bytes: number }
  /** Entries that were there already and only have their attributes set; absent in runs without a fixup. */
  readonly onlyAttributes?: number
  /** Entries that the plan refused make the run end 1 whatever the workers do. All of them stand in the manifest. */
  readonly refused: FirstRefused
  /** Places of the source that could not be listed: what is there is in no plan, and the run ends 1. */
  readonly unlisted: FirstLines
  /** Why a mirror deletes nothing, half a sentence. */
  readonly deletesWithheld?: string
  /** Nothing of it runs, because a transfer that it stands `after` can not be delivered in full. */
  readonly blocked?: Blocked
}

export interface RunRecord {
  readonly version: number
  readonly run: RunId
  readonly plan: string
  /** Digest of the plan's text and of the values given with `--var`: a resumed run is of the same plan. */
  readonly digest: string
  readonly executor: ExecutorKind
  readonly soxplanVersion: string
  readonly createdAt: string
  readonly environmentPass: readonly string[]
  readonly transfers: readonly TransferRecord[]
  readonly steps: readonly Step[]
}

/** Reads a record back. Undefined for another version or a torn file: such a run is not resumed. */
export function parseRecord(text: string): RunRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const isOurs =
    'version' in value && value.version === recordVersion && 'steps' in value && Array.isArray(value.steps)
  return isOurs ? (value as RunRecord) : undefined
}
