/** Writes what the workers of every step need: lists, folders and the script. The same files for `apply` and for `plan --scripts`. */

import { link, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { writeDirectoryList } from '../edge/directory-list.ts'
import { writeAtomic } from '../edge/files.ts'
import { makeStageFolder } from '../edge/run-folder.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { anchorOf } from '../edge/anchor.ts'
import { readScriptParts } from '../edge/script-parts.ts'
import { writeShardLists, type LinksIn } from '../edge/shard-lists.ts'
import { goesByEntry, type Step } from '../graph/step.ts'
import { namesAreBytes, type Location, type Plan, type ToolName, type ToolSetup } from '../plan/plan.ts'
import { renderScript } from '../script/render.ts'
import type { ScriptParts } from '../script/parts.ts'
import type { ScriptInput } from '../script/render.ts'
import { connectionsMax } from '../tools/connections.ts'
import { linkWay } from '../tools/rclone-links.ts'
import { rcloneLookCommands } from '../tools/rclone.ts'
import { fixupCommand, type FixupCommand } from '../tools/rsync-fixup.ts'
import { toolOf } from '../tools/tools.ts'
import type { CopyContext, TransferEnd } from '../tools/tool.ts'
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
    const stages = prepared.graph.steps.filter(({ transfer }) => transfer.name === step.transfer.name)
    if (step === listsOf(stages)) {
      const written = await writeLists(planned, step, paths, interrupt)
      if (!written.ok) return written
    }
    if (step.stage === 'prune') await placeDeletes(step, paths)
    if (step.stage === 'directories') await writeDirectories(planned, step, stages, paths)
    const script = await scriptOf(plan, planned, step, stages, parts)
    await writeAtomic(paths.script(step), script, SCRIPT_MODE)
  }
  return ok(undefined)
}

async function makeListFolder(step: Step, paths: RunPaths): Promise<string> {
  const folder = paths.shards(step)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** The list that the preview showed is the one that is carried out. */
async function placeDeletes(step: Step, paths: RunPaths): Promise<void> {
  const folder = await makeListFolder(step, paths)
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
  const folder = await makeListFolder(step, paths)
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
    links: linksIn(item),
    stop,
  })
}

/** What the end of a fixup walks is no part of any shard. */
async function writeDirectories(
  { survey }: Working,
  step: Step,
  stages: readonly Step[],
  paths: RunPaths,
): Promise<void> {
  const folder = await makeListFolder(step, paths)
  for (const { id } of step.shards)
    await writeDirectoryList(folder, id, {
      tree: survey.tree,
      all: stages.some(({ stage }) => stage === 'prune'),
      destinationName: destinationNaming(survey),
    })
}

function linksIn({ transfer, survey: { sourceRoot, destinationRoot, single }, work }: Working): LinksIn {
  const way = linkWay(transfer, sourceRoot, destinationRoot)
  if (single === undefined && way !== 'no') return way
  return toolOf(work.tool.name).leavesSymlinks && namesAreBytes(sourceRoot) ? 'links' : 'list'
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

/** The first of those that go by entry has the lists of all of them. */
function listsOf(stages: readonly Step[]): Step | undefined {
  return stages.find(({ stage }) => goesByEntry(stage))
}

/** Where a stage stands among those of its transfer: what runs before it, and whose lists it works on. */
function placeAmong(step: Step, stages: readonly Step[]): Pick<ScriptInput, 'before' | 'lists'> {
  const before = stages[stages.indexOf(step) - 1]
  const first = goesByEntry(step.stage) ? listsOf(stages) : step
  return {
    ...(before === undefined ? {} : { before: `../${before.id}` }),
    lists: first === undefined || first === step ? 'shards' : `../${first.id}/shards`,
  }
}

async function scriptOf(
  plan: Plan,
  item: Working,
  step: Step,
  stages: readonly Step[],
  parts: ScriptParts,
): Promise<string> {
  const { transfer, survey } = item
  const { tool } = item.work
  const fixup = fixupOf(plan, item, step)
  const setup = setupOf(plan, fixup === undefined ? tool.name : 'rsync')
  const copyContext = copyContextOf(plan, item, step)
  const from = fixup?.root ?? survey.sourceRoot
  const hasRemote = ![from, survey.destinationRoot].every(namesAreBytes)
  const here = [from, survey.destinationRoot].filter(({ kind }) => kind === 'local')
  const anchors = await Promise.all(here.map((end) => anchorOf(end.path)))
  return renderScript(
    {
      stage: step.stage,
      transfer,
      tool,
      proof: step.proof,
      isLast: step.isLast,
      stagesBefore: stagesBefore(step),
      ...placeAmong(step, stages),
      copy: toolOf(tool.name).copyCommand(copyContext),
      ...(fixup === undefined ? {} : { fixup: fixup.command }),
      ...(hasRemote ? { remote: rcloneLookCommands(lookContext(plan, copyContext)) } : {}),
      from,
      to: survey.destinationRoot,
      anchors,
      ...(setup === undefined ? {} : { setup }),
      environmentPass: plan.environmentPass,
    },
    parts,
  )
}

function copyContextOf(plan: Plan, { transfer, survey, work }: Working, step: Step): CopyContext {
  const { sourceRoot, destinationRoot } = survey
  const path = setupOf(plan, work.tool.name)?.path
  const connections = connectionsMax(sourceRoot, destinationRoot)
  return {
    transfer,
    version: work.tool.version,
    ...(path === undefined ? {} : { program: path }),
    source: { root: sourceRoot, ...(survey.single === undefined ? {} : { name: survey.single.from }) },
    destination: destinationEnd(survey),
    ...(transfer.bandwidth === undefined ? {} : { bandwidthPerWorker: transfer.bandwidth / step.workers }),
    ...(connections === undefined ? {} : { connectionsPerWorker: Math.floor(connections / step.workers) }),
    hasHardLinks: step.shards.some((shard) => shard.hasHardLinks),
    ...(survey.largest === undefined ? {} : { largestBytes: survey.largest.sizeBytes }),
  }
}

function destinationEnd({ destinationRoot, single }: PreparedTransfer['survey']): TransferEnd {
  return { root: destinationRoot, ...(single === undefined ? {} : { name: single.to }) }
}

/** Of the stages that set attributes. */
function fixupOf(
  plan: Plan,
  { transfer, survey, work }: Working,
  { stage }: Step,
): { readonly command: FixupCommand; readonly root: Location } | undefined {
  if (stage !== 'fixup' && stage !== 'directories') return undefined
  if (transfer.fixup === undefined || work.fixup === undefined) throw new Bug(`no fixup in ${transfer.name}`)
  const { source } = work.fixup
  const program = plan.tools.rsync?.path
  const command = fixupCommand({
    transfer,
    fixup: transfer.fixup,
    source,
    destination: destinationEnd(survey),
    ...(program === undefined ? {} : { program }),
  })
  return { command, root: source.root }
}
