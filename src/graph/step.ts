/** A step is one vertex of the graph: one stage of one transfer, carried out shard by shard. */

import type { ProofKind } from '../tools/proof.ts'
import type { Transfer } from '../plan/plan.ts'
import type { ToolChoice } from '../tools/tool.ts'
import type { Balance, Shard } from '../shard/shard.ts'
import type { StepId } from '../units.ts'

/** In the order in which they stand in a transfer. `directories` is the end of a fixup: nothing touches them after it. */
export type StageKind = 'copy' | 'fixup' | 'verify' | 'prune' | 'directories'

/** Works entry by entry on the shards that the copy was cut into. The other stages have one shard, and a list, of their own. */
export function goesByEntry(stage: StageKind): boolean {
  return stage === 'copy' || stage === 'fixup' || stage === 'verify'
}

export interface Step {
  readonly id: StepId
  readonly stage: StageKind
  readonly transfer: Transfer
  readonly tool: ToolChoice
  readonly proof: ProofKind
  readonly shards: readonly Shard[]
  readonly balance: Balance
  /** Workers of the array, 1 ≤ workers ≤ min(nodes, shards). */
  readonly workers: number
  /** Steps that must have ended 0 before this one starts. */
  readonly after: readonly StepId[]
  /** Slurm jobs outside of the plan that must have ended well before this one starts. */
  readonly afterJobs: readonly string[]
  /** Nothing of the same transfer stands behind it: ends 1 when anything failed. */
  readonly isLast: boolean
}
