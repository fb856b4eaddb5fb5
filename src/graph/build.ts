/** Planned transfers become steps: an ordered list of small passes, each with the reason why it stands there. */

import type { Transfer } from '../plan/plan.ts'
import type { Balance, Shard } from '../shard/shard.ts'
import type { ProofKind } from '../tools/proof.ts'
import type { ToolChoice } from '../tools/tool.ts'
import { Bug } from '../units.ts'
import type { StepId, TransferName } from '../units.ts'
import { stepGraph } from './dag.ts'
import type { StepGraph } from './dag.ts'
import type { StageKind, Step } from './step.ts'

/** A transfer whose source has been listed and cut. No shards means that nothing of it is left to do. */
export interface PlannedTransfer {
  readonly transfer: Transfer
  readonly tool: ToolChoice
  readonly proof: ProofKind
  readonly shards: readonly Shard[]
  readonly balance: Balance
  /** Workers that the places bear at once; absent: any number. */
  readonly workersMax?: number
}

export function stepId(transfer: TransferName, stage: StageKind): StepId {
  return `${transfer}.${stage}` as StepId
}

/**
 * Steps of all transfers, in the order of the plan. A transfer without shards has no steps, and those that stand
 * `after` it wait for what it stands after itself. A stage has as many workers as `workersOf` allows (the plan's `nodes` on Slurm, the slots on
 * this machine) and shards can occupy.
 *
 * @param transfers all of the plan, where those with nothing left to do are not among `planned`
 */
export function buildGraph(
  planned: readonly PlannedTransfer[],
  workersOf: (transfer: Transfer) => number,
  transfers: readonly Transfer[] = planned.map(({ transfer }) => transfer),
): StepGraph {
  const busy = planned.filter((item) => item.shards.length > 0)
  const copies = busy.map((item) => step(item, 'copy', workersOf))
  const withProof = copies.flatMap((copy, index) => {
    const item = busy[index]
    if (item === undefined) throw new Bug('passes lost a transfer')
    return item.proof === 'none' ? [copy] : [copy, { ...step(item, 'verify', workersOf), after: [copy.id] }]
  })
  const marked = markLast(withProof)
  return checked(stepGraph(connectTransfers(marked, transfers)))
}

function step(item: PlannedTransfer, stage: StageKind, workersOf: (transfer: Transfer) => number): Step {
  const { transfer, tool, proof, shards, balance } = item
  const workers = Math.min(workersOf(transfer), item.workersMax ?? Infinity, shards.length)
  return {
    id: stepId(transfer.name, stage),
    stage,
    transfer,
    tool,
    proof,
    shards,
    balance,
    workers,
    after: [],
    isLast: false,
  }
}

/** Only the last stage of a transfer may end 1 because of a failed file: the stages before it must not stop those behind. */
function markLast(steps: readonly Step[]): readonly Step[] {
  return steps.map((one, index) => ({
    ...one,
    isLast: steps[index + 1]?.transfer.name !== one.transfer.name,
  }))
}

/** Comes after `markLast`, because a transfer waits for the last stage of those it stands `after`. */
function connectTransfers(steps: readonly Step[], transfers: readonly Transfer[]): readonly Step[] {
  const lastOf = new Map(steps.filter((one) => one.isLast).map((one) => [one.transfer.name, one.id]))
  const afterOf = new Map(transfers.map(({ name, after }) => [name, after]))
  const endsOf = (names: readonly TransferName[]): readonly StepId[] =>
    names.flatMap((name) => lastOf.get(name) ?? endsOf(afterOf.get(name) ?? []))
  return steps.map((one) =>
    one.stage === 'copy' ? { ...one, after: [...new Set(endsOf(one.transfer.after))] } : one,
  )
}

/** Stands last: what every pass before it promised holds for the whole. */
function checked(graph: StepGraph): StepGraph {
  for (const one of graph.steps) {
    if (one.workers < 1) throw new Bug(`${one.id} has no worker`)
    const ids = new Set(one.shards.map((shard) => shard.id))
    if (ids.size !== one.shards.length) throw new Bug(`${one.id} has a shard twice`)
  }
  return graph
}
