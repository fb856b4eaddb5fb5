/** Writes what the workers of every step need: lists, folders and the script. The same files for `apply` and for `plan --scripts`. */

import { link, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { writeAtomic } from '../edge/files.ts'
import { makeStageFolder } from '../edge/run-folder.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { readScriptParts } from '../edge/script-parts.ts'
import { writeShardLists } from '../edge/shard-lists.ts'
import type { Step } from '../graph/step.ts'
import { namesAreBytes, type Plan, type ToolName, type ToolSetup } from '../plan/plan.ts'
import { renderScript } from '../script/render.ts'
import type { ScriptParts } from '../script/render.ts'
import { connectionsMax } from '../tools/connections.ts'
import { rcloneLookCommands } from '../tools/rclone.ts'
import { toolOf } from '../tools/tools.ts'
import type { CopyContext } from '../tools/tool.ts'
import { Bug } from '../units.ts'
import { destinationNaming } from './naming.ts'
import type { Prepared, PreparedTransfer } from './prepare.ts'

/** A transfer with something to do. */
type Working = PreparedTransfer & Required<Pick<PreparedTransfer, 'work'>>

const SCRIPT_MODE = 0o700

export async function writeStageFiles(
  plan: Plan,
  prepared: Prepared,
  paths: RunPaths,
  interrupt: AbortSignal,
): Promise<Result<undefined>> {
  const parts = await readScriptParts()
  for (const step of prepared.graph.steps) {
    const item = prepared.transfers.find(({ transfer }) => transfer.name === step.transfer.name)
    if (item?.work === undefined) throw new Bug(`no transfer for ${step.id}`)
    const planned = { ...item, work: item.work }
    await makeStageFolder(paths, step)
    if (step.stage === 'copy') {
      const written = await writeLists(planned, step, paths, interrupt)
      if (!written.ok) return written
    }
    if (step.stage === 'prune') await placeDeletes(step, paths)
    await writeAtomic(paths.script(step), scriptOf(plan, planned, step, parts), SCRIPT_MODE)
  }
  return ok(undefined)
}

/** The list that the preview showed is the one that is carried out. */
async function placeDeletes(step: Step, paths: RunPaths): Promise<void> {
  const folder = paths.shards(step)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { id } of step.shards)
    await link(paths.deletes(step.transfer.name), path.join(folder, `${id}.expect`))
}

async function writeLists(
  item: Working,
  step: Step,
  paths: RunPaths,
  stop: AbortSignal,
): Promise<Result<unknown>> {
  const { survey, proof, work } = item
  const folder = paths.shards(step)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const carrier = toolOf(work.tool.name)
  const { prefixes } = carrier
  const naming = destinationNaming(survey)
  return writeShardLists({
    manifestPath: survey.manifestPath,
    tree: survey.tree,
    plan: work.plan,
    folder,
    listEntry: (path) => carrier.listEntry(path, survey.sourceRoot),
    ...(naming === undefined ? {} : { destinationName: naming }),
    ...(survey.single === undefined ? {} : { singleName: Buffer.from(survey.single.to) }),
    proof: proof.kind,
    ...(prefixes === undefined
      ? {}
      : {
          units: {
            nameOf: (path) => prefixes.nameOf(path, survey.sourceRoot),
            pattern: (name) => prefixes.pattern(name),
          },
        }),
    symlinksSeparately: carrier.leavesSymlinks && namesAreBytes(survey.sourceRoot),
    stop,
  })
}

/** Beside aws there is rclone, which looks. */
function setupOf(plan: Plan, tool: ToolName): ToolSetup | undefined {
  const [own, looking] = [plan.tools[tool], plan.tools.rclone]
  if (tool !== 'aws' || looking === undefined) return own
  return { ...own, setup: [...(own?.setup ?? []), ...looking.setup] }
}

function lookContext({ tools }: Plan, context: CopyContext): CopyContext {
  return { ...context, program: tools.rclone?.path ?? 'rclone' }
}

/** Failed names stop no later stage of the same transfer, but the one that deletes. */
function stagesBefore({ stage, transfer, after }: Step): readonly string[] {
  return after
    .filter((id) => stage === 'prune' || !id.startsWith(`${transfer.name}.`))
    .map((id) => `../${id}`)
}

function scriptOf(plan: Plan, item: Working, step: Step, parts: ScriptParts): string {
  const { transfer, survey } = item
  const { tool } = item.work
  const setup = setupOf(plan, tool.name)
  const connections = connectionsMax(survey.sourceRoot, survey.destinationRoot)
  const copyContext: CopyContext = {
    transfer,
    version: tool.version,
    ...(setup?.path === undefined ? {} : { program: setup.path }),
    source: { root: survey.sourceRoot, ...(survey.single === undefined ? {} : { name: survey.single.from }) },
    destination: {
      root: survey.destinationRoot,
      ...(survey.single === undefined ? {} : { name: survey.single.to }),
    },
    ...(transfer.bandwidth === undefined ? {} : { bandwidthPerWorker: transfer.bandwidth / step.workers }),
    ...(connections === undefined ? {} : { connectionsPerWorker: Math.floor(connections / step.workers) }),
    hasHardLinks: step.shards.some((shard) => shard.hasHardLinks),
  }
  const hasRemote = ![survey.sourceRoot, survey.destinationRoot].every(namesAreBytes)
  return renderScript(
    {
      stage: step.stage,
      transfer,
      tool,
      proof: step.proof,
      isLast: step.isLast,
      stagesBefore: stagesBefore(step),
      copy: toolOf(tool.name).copyCommand(copyContext),
      ...(hasRemote ? { remote: rcloneLookCommands(lookContext(plan, copyContext)) } : {}),
      from: survey.sourceRoot,
      to: survey.destinationRoot,
      ...(setup === undefined ? {} : { setup }),
      environmentPass: plan.environmentPass,
    },
    parts,
  )
}
