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

/** One kind of work of a transfer, and what it is cut into. */
export interface PlannedStage {
  readonly stage: StageKind
  readonly shards: readonly Shard[]
  readonly balance: Balance
  /** Workers that the places of this stage bear at once; absent: those of the transfer. */
  readonly workersMax?: number
}

/** A transfer whose source has been listed and cut. */
export interface PlannedTransfer {
  readonly transfer: Transfer
  readonly tool: ToolChoice
  readonly proof: ProofKind
  /** In the order in which they run, each after the one before. A stage without shards has nothing to do. */
  readonly stages: readonly PlannedStage[]
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
  const steps = planned.flatMap((item) =>
    item.stages
      .filter(({ shards }) => shards.length > 0)
      .map((stage) => step(item, stage, workersOf(item.transfer))),
  )
  const marked = markLast(connectStages(steps))
  return checked(stepGraph(connectTransfers(marked, transfers)))
}

function step(item: PlannedTransfer, planned: PlannedStage, nodes: number): Step {
  const { transfer, tool, proof } = item
  const { stage, shards, balance } = planned
  const workersMax = planned.workersMax ?? item.workersMax ?? Infinity
  const workers = Math.min(nodes, workersMax, shards.length)
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
    afterJobs: [],
    isLast: false,
  }
}

/** Steps of one transfer stand together, in the order in which they run. */
function connectStages(steps: readonly Step[]): readonly Step[] {
  return steps.map((one, index) => {
    const before = steps[index - 1]
    return before?.transfer.name === one.transfer.name ? { ...one, after: [before.id] } : one
  })
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
  const byName = new Map(transfers.map((transfer) => [transfer.name, transfer]))
  const endsOf = (names: readonly TransferName[]): readonly StepId[] =>
    names.flatMap((name) => lastOf.get(name) ?? endsOf(byName.get(name)?.after ?? []))
  const jobsOf = ({ after, afterJobs }: Transfer): readonly string[] => [
    ...afterJobs,
    ...after.flatMap((name) => {
      const before = byName.get(name)
      return before === undefined || lastOf.has(name) ? [] : jobsOf(before)
    }),
  ]
  return steps.map((one) =>
    one.after.length > 0
      ? one
      : {
          ...one,
          after: [...new Set(endsOf(one.transfer.after))],
          afterJobs: [...new Set(jobsOf(one.transfer))],
        },
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
