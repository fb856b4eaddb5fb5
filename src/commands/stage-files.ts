/** Writes what the workers of every step need: lists, folders and the script. The same files for `apply` and for `plan --scripts`. */

import { mkdir } from 'node:fs/promises'
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
import { decodeRcloneName, encodeRcloneName } from '../tools/rclone-names.ts'
import { rcloneLookCommands } from '../tools/rclone.ts'
import { toolOf } from '../tools/tools.ts'
import type { CopyContext } from '../tools/tool.ts'
import { Bug } from '../units.ts'
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
    await writeAtomic(paths.script(step), scriptOf(plan, planned, step, parts), SCRIPT_MODE)
  }
  return ok(undefined)
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

/** Remotes are spoken to in rclone's names, disks in raw bytes; between two of a kind a path stays as it is. */
function destinationNaming({
  sourceRoot,
  destinationRoot,
}: PreparedTransfer['survey']): ((path: Uint8Array) => Uint8Array) | undefined {
  if (namesAreBytes(sourceRoot) === namesAreBytes(destinationRoot)) return undefined
  return namesAreBytes(sourceRoot) ? encodeRcloneName : decodeRcloneName
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
      stagesBefore: step.after.filter((id) => !id.startsWith(`${transfer.name}.`)).map((id) => `../${id}`),
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
