/** From a plan to everything that `plan` shows and `apply` runs: surveys, tools, shards, the graph, and its files in a folder. */

import type { Diagnostic, Result } from '../diagnostic.ts'
import { ok } from '../diagnostic.ts'
import { keyExpiries } from '../edge/key-expiry.ts'
import type { KeyExpiry } from '../edge/key-expiry.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { planShards } from '../edge/shard-plan.ts'
import { survey } from '../edge/survey.ts'
import type { Survey } from '../edge/survey.ts'
import { placeAsker, type AskingWith } from '../edge/survey-ground.ts'
import { probeTools, toolEnvironment } from '../edge/tool-probe.ts'
import type { ToolSet } from '../edge/tool-probe.ts'
import { buildGraph } from '../graph/build.ts'
import type { StepGraph } from '../graph/dag.ts'
import type { Plan, ToolName, Transfer } from '../plan/plan.ts'
import { costModel, ratesOf } from '../shard/cost.ts'
import type { Rates } from '../shard/cost.ts'
import { defaultShardsPerWorker } from '../shard/count.ts'
import type { ShardPlan } from '../shard/finish.ts'
import { checkAwsSource } from '../tools/aws-obstacles.ts'
import { chooseTool } from '../tools/choose.ts'
import { connectionsMax, workersWithin } from '../tools/connections.ts'
import { chooseProof } from '../tools/proof.ts'
import type { ProofChoice } from '../tools/proof.ts'
import type { ToolChoice } from '../tools/tool.ts'
import { toolOf } from '../tools/tools.ts'
import type { TransferName } from '../units.ts'
import { planDeletes, type Deletes } from './deletes.ts'
import { shardSecondsMin } from './place.ts'
import { planFixup, type PlannedFixup } from './plan-fixup.ts'
import { copiesAnything, stagesOf } from './stages-of.ts'

/** How what there is to do will be done. */
export interface PlannedWork {
  readonly tool: ToolChoice
  readonly rates: Rates
  readonly plan: ShardPlan
  readonly workers: number
  /** Fewer than the plan asks for, because the places bear no more connections. */
  readonly workersMax?: number
  /** Set where attributes are set behind the copy. */
  readonly fixup?: PlannedFixup
  /** Keys to its places that end some day. */
  readonly expiries: readonly KeyExpiry[]
}

/** One transfer, listed and compared; cut where something is to be done. */
export interface PreparedTransfer {
  readonly transfer: Transfer
  readonly survey: Survey
  readonly proof: ProofChoice
  /** Absent: nothing is left to do, and no tool was asked for. Where there is only something to delete, no shards are in it. */
  readonly work?: PlannedWork
  /** Absent: nothing is to be deleted. */
  readonly deletes?: Deletes
  /** A transfer this one stands `after` that is known to fail: nothing of this one starts. */
  readonly blockedBy?: TransferName
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
  readonly stateDir: string
  /** Transfers whose deletions are meant, however many they are. */
  readonly confirmed: ReadonlySet<string>
  /** A run of this very plan has finished. */
  readonly deliveredBefore: boolean
  readonly interrupt: AbortSignal
  readonly onProgress?: (transfer: Transfer, entries: number) => void
}

/** Lists every source once. Nothing is written but manifests. Stops at the first transfer that can not be planned. */
export async function prepare(context: PrepareContext): Promise<Result<Prepared>> {
  const transfers: PreparedTransfer[] = []
  let tools: Promise<ToolSet> | undefined
  for (const transfer of context.plan.transfers) {
    const surveyed = await surveyTransfer(context, transfer)
    if (!surveyed.ok) return surveyed
    const proof = chooseProof(transfer, surveyed.value.sourceRoot, surveyed.value.destinationRoot)
    const deletes = await planDeletes(context, transfer, surveyed.value, askingWith(context))
    if (!deletes.ok) return deletes
    const item: PreparedTransfer = {
      transfer,
      survey: surveyed.value,
      proof,
      ...(deletes.value === undefined ? {} : { deletes: deletes.value }),
    }
    if (!hasWork(surveyed.value) && deletes.value?.kind !== 'planned') {
      transfers.push(item)
      continue
    }
    // Asked for once and only here: a plan with nothing left to do needs no tool.
    tools ??= probeTools(context.plan, context.env, toolsFor(context.plan))
    const work = await planWork(context, item, await tools)
    if (!work.ok) return work
    transfers.push({ ...item, work: work.value })
  }
  const settled = transfers.map((item) => withBlocker(item, transfers))
  const planned = settled.flatMap(({ transfer, proof, survey: surveyed, work, deletes, blockedBy }) =>
    work === undefined || blockedBy !== undefined
      ? []
      : [
          {
            transfer,
            tool: work.tool,
            proof: proof.kind,
            stages: stagesOf(transfer, proof.kind, surveyed, work, deletes),
            ...(work.workersMax === undefined ? {} : { workersMax: work.workersMax }),
          },
        ],
  )
  return ok({
    transfers: settled,
    graph: buildGraph(planned, context.workersOf, context.plan.transfers),
  })
}

/** Why this is not to be carried out: deletions that nobody has confirmed. */
export function refusalsOf({ transfers }: Prepared): readonly Diagnostic[] {
  return transfers.flatMap(({ deletes }) => (deletes?.kind === 'planned' ? (deletes.refusal ?? []) : []))
}

/** True when the plan itself had to refuse something, so that the run ends 1 whatever the workers do. */
export function failsInPlan({ survey: { refused, listingErrors } }: PreparedTransfer): boolean {
  return refused.count + listingErrors.count > 0
}

/** A plan may name the transfers in any order, so this comes when all of them are known. */
function withBlocker(item: PreparedTransfer, all: readonly PreparedTransfer[]): PreparedTransfer {
  const blockerOf = ({ after }: Transfer): TransferName | undefined => {
    for (const before of all.filter(({ transfer }) => after.includes(transfer.name))) {
      const blocker = failsInPlan(before) ? before.transfer.name : blockerOf(before.transfer)
      if (blocker !== undefined) return blocker
    }
    return undefined
  }
  const blockedBy = item.work === undefined ? undefined : blockerOf(item.transfer)
  return blockedBy === undefined ? item : { ...item, blockedBy }
}

/** aws takes a second to say its version, so it is asked only where the plan names it. */
function toolsFor({ transfers }: Plan): readonly ToolName[] {
  return ['rclone', 'rsync', ...(transfers.some(({ tool }) => tool === 'aws') ? (['aws'] as const) : [])]
}

/** What rclone and ssh are asked with. */
function askingWith({ plan, env, interrupt }: PrepareContext): AskingWith {
  return {
    rclonePath: plan.tools.rclone?.path ?? 'rclone',
    env: toolEnvironment(env, plan.environmentPass),
    shellKeys: env['AWS_ACCESS_KEY_ID'] !== undefined,
    signal: interrupt,
  }
}

function surveyTransfer(context: PrepareContext, transfer: Transfer): Promise<Result<Survey>> {
  const { paths, onProgress } = context
  return survey({
    transfer,
    manifestPath: paths.manifest(transfer.name),
    deliveredBefore: context.deliveredBefore,
    proveAll: transfer.verify === 'checksum' || transfer.verify === 'download',
    ...askingWith(context),
    ...(onProgress === undefined
      ? {}
      : {
          onProgress: (entries: number) => {
            onProgress(transfer, entries)
          },
        }),
  })
}

function hasWork(survey: Survey): boolean {
  const { files, directories, symlinks } = survey.tallies.attributes
  return copiesAnything(survey) || files + directories + symlinks > 0
}

async function planWork(
  context: PrepareContext,
  { transfer, survey: surveyed }: PreparedTransfer,
  tools: ToolSet,
): Promise<Result<PlannedWork>> {
  const { tallies, tree, manifestPath, sourceRoot, destinationRoot } = surveyed
  const files = tallies.new.files + tallies.changed.files + tallies.check.files
  const bytes = tallies.new.bytes + tallies.changed.bytes + tallies.check.bytes
  const symlinks = tallies.new.symlinks + tallies.changed.symlinks + tallies.check.symlinks
  const load = { files, bytes, hasHardLinks: tree.hasHardLinks, symlinks, oddNames: surveyed.oddNames }
  const tool = chooseTool(transfer, tools, load, sourceRoot, destinationRoot)
  if (!tool.ok) return tool
  const { prefixes } = toolOf(tool.value.name)
  if (prefixes !== undefined) {
    const { refused, listingErrors } = surveyed
    const source = { name: transfer.name, root: sourceRoot, refused, unread: listingErrors.count }
    const checked = checkAwsSource(source)
    if (!checked.ok) return checked
  }
  const fixup = await planFixup(transfer, surveyed, tools, placeAsker(askingWith(context)))
  if (!fixup.ok) return fixup
  const rates = ratesOf(tool.value.name, transfer.from, transfer.to)
  const connections = connectionsMax(sourceRoot, destinationRoot)
  const workersMax = connections === undefined ? undefined : workersWithin(tool.value.name, connections)
  const workers = Math.min(context.workersOf(transfer), workersMax ?? Infinity)
  const policy = {
    cost: costModel(rates),
    workers,
    shardsPerWorker: defaultShardsPerWorker,
    shardSecondsMin: shardSecondsMin(context.env),
  }
  const opens =
    prefixes === undefined ? undefined : (path: string): boolean => prefixes.opens(sourceRoot, path)
  const cut = await planShards({
    tree,
    manifestPath,
    policy,
    stop: context.interrupt,
    ...(opens === undefined ? {} : { opens }),
  })
  if (!cut.ok) return cut
  return ok({
    tool: tool.value,
    rates,
    plan: cut.value,
    workers: Math.min(workers, cut.value.shards.length),
    expiries: await keyExpiries(askingWith(context), sourceRoot, destinationRoot),
    ...(workersMax === undefined ? {} : { workersMax }),
    ...(fixup.value === undefined ? {} : { fixup: fixup.value }),
  })
}
