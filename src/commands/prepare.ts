/** From a plan to everything that `plan` shows and `apply` runs: surveys, tools, shards, the graph, and its files in a folder. */

import type { Result } from '../diagnostic.ts'
import { ok } from '../diagnostic.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { planShards } from '../edge/shard-plan.ts'
import { survey } from '../edge/survey.ts'
import type { Survey } from '../edge/survey.ts'
import { probeTools, toolEnvironment } from '../edge/tool-probe.ts'
import type { ToolSet } from '../edge/tool-probe.ts'
import { buildGraph } from '../graph/build.ts'
import type { StepGraph } from '../graph/dag.ts'
import type { Plan, Transfer } from '../plan/plan.ts'
import { costModel, ratesOf } from '../shard/cost.ts'
import type { Rates } from '../shard/cost.ts'
import { defaultShardsPerWorker } from '../shard/count.ts'
import type { ShardPlan } from '../shard/finish.ts'
import { chooseTool } from '../tools/choose.ts'
import { chooseProof } from '../tools/proof.ts'
import type { ProofChoice } from '../tools/proof.ts'
import type { ToolChoice } from '../tools/tool.ts'
import { shardSecondsMin } from './place.ts'

/** One transfer, listed, compared and cut. */
export interface PreparedTransfer {
  readonly transfer: Transfer
  readonly survey: Survey
  readonly tool: ToolChoice
  readonly proof: ProofChoice
  readonly rates: Rates
  readonly plan: ShardPlan
  readonly workers: number
}

export interface Prepared {
  readonly transfers: readonly PreparedTransfer[]
  readonly graph: StepGraph
}

export interface PrepareContext {
  readonly plan: Plan
  readonly env: Readonly<Record<string, string | undefined>>
  /** Workers at most: the plan's `nodes` on Slurm, the slots on this machine. */
  readonly workersOf: (transfer: Transfer) => number
  readonly paths: RunPaths
  readonly interrupt: AbortSignal
  readonly onProgress?: (transfer: Transfer, entries: number) => void
}

/** Lists every source once. Nothing is written but manifests. Stops at the first transfer that can not be planned. */
export async function prepare(context: PrepareContext): Promise<Result<Prepared>> {
  const { plan, workersOf } = context
  const tools = await probeTools(plan, context.env)
  const transfers: PreparedTransfer[] = []
  for (const transfer of plan.transfers) {
    const prepared = await prepareTransfer(context, transfer, tools)
    if (!prepared.ok) return prepared
    transfers.push(prepared.value)
  }
  const planned = transfers.map(({ transfer, tool, proof, plan: cut }) => ({
    transfer,
    tool,
    proof: proof.kind,
    shards: cut.shards,
    balance: cut.balance,
  }))
  return ok({ transfers, graph: buildGraph(planned, workersOf) })
}

async function prepareTransfer(
  context: PrepareContext,
  transfer: Transfer,
  tools: ToolSet,
): Promise<Result<PreparedTransfer>> {
  const { plan, paths, env, interrupt, onProgress } = context
  const surveyed = await survey({
    transfer,
    manifestPath: paths.manifest(transfer.name),
    proveAll: transfer.verify === 'checksum' || transfer.verify === 'download',
    rclonePath: plan.tools.rclone?.path ?? 'rclone',
    env: toolEnvironment(env, plan.environmentPass),
    signal: interrupt,
    ...(onProgress === undefined
      ? {}
      : {
          onProgress: (entries: number) => {
            onProgress(transfer, entries)
          },
        }),
  })
  if (!surveyed.ok) return surveyed
  const { tallies, tree, manifestPath, sourceRoot, destinationRoot } = surveyed.value
  const files = tallies.new.files + tallies.changed.files + tallies.check.files
  const bytes = tallies.new.bytes + tallies.changed.bytes + tallies.check.bytes
  const tool = chooseTool(
    transfer,
    tools,
    { files, bytes, hasHardLinks: tree.hasHardLinks },
    sourceRoot,
    destinationRoot,
  )
  if (!tool.ok) return tool
  const rates = ratesOf(tool.value.name, transfer.from, transfer.to)
  const workers = context.workersOf(transfer)
  const cut = await planShards({
    tree,
    manifestPath,
    policy: {
      cost: costModel(rates),
      workers,
      shardsPerWorker: defaultShardsPerWorker,
      shardSecondsMin: shardSecondsMin(env),
    },
    stop: interrupt,
  })
  if (!cut.ok) return cut
  const proof = chooseProof(transfer, sourceRoot, destinationRoot)
  const used = Math.min(workers, cut.value.shards.length)
  return ok({
    transfer,
    survey: surveyed.value,
    tool: tool.value,
    proof,
    rates,
    plan: cut.value,
    workers: used,
  })
}
