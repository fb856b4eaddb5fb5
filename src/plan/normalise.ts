/** A written plan without errors → `Plan`: defaults filled in, blocks merged, text turned into quantities. */

import { Bug, transferName } from '../units.ts'
import { absolutePath } from './paths.ts'
import { defaultPreserve, slurmStages } from './plan.ts'
import type { Fixup, Plan, SlurmOptions, ToolName, ToolSetup, Transfer } from './plan.ts'
import { parseBandwidth, parseDuration, parseShare } from './quantities.ts'
import type { SeenTransfer } from './rule.ts'
import { outsideJobsOf, parentsOf } from './rules-after.ts'
import { isSamePlace } from './rules-fixup.ts'
import type { WrittenPlan, WrittenSlurm, WrittenTool, WrittenTransferSlurm } from './written.ts'

/** Workers of a transfer for which nothing is said. */
const DEFAULT_NODES = 4
/** Attempts per shard for which nothing is said. */
const DEFAULT_ATTEMPTS = 3
/** What a mirror may delete without a confirmation. */
const DEFAULT_MAX_DELETE = '10%'

const stageNames: ReadonlySet<string> = new Set(slurmStages)

export interface PlanFile {
  /** Absolute. */
  readonly file: string
  readonly folder: string
  readonly home: string
}

/** @throws Bug when a rule let something through that it must not. */
export function normalise(written: WrittenPlan, transfers: readonly SeenTransfer[], place: PlanFile): Plan {
  const { folder, home } = place
  const tools: Partial<Record<ToolName, ToolSetup>> = {}
  for (const tool of ['rclone', 'rsync', 'aws'] as const) {
    const setup = written.tools?.[tool]
    if (setup !== undefined) tools[tool] = toolSetup(setup, place)
  }
  return {
    name: written.name ?? baseName(place.file),
    file: place.file,
    folder,
    ...(written.state === undefined ? {} : { stateDir: absolutePath(written.state, folder, home) }),
    transfers: transfers.map((transfer) => normaliseTransfer(written, transfer)),
    tools,
    environmentPass: [...new Set(written.environment?.pass)],
  }
}

function normaliseTransfer(plan: WrittenPlan, seen: SeenTransfer): Transfer {
  const { name, written, from, to } = seen
  if (from?.location === undefined || to?.location === undefined)
    throw new Bug(`transfer without its places: ${name}`)
  const bandwidth = written.bandwidth === undefined ? undefined : parseBandwidth(written.bandwidth)
  return {
    name: transferName(name),
    from: from.location,
    to: to.location,
    toIsDirectory: to.isDirectory,
    tool: written.tool ?? 'auto',
    ...(written.mode === 'mirror'
      ? { mirror: { maxDeleteShare: parseShare(written.maxDelete ?? DEFAULT_MAX_DELETE) } }
      : {}),
    existing: written.existing ?? 'update',
    compare: written.compare ?? 'auto',
    verify: written.verify ?? 'auto',
    where: written.where ?? 'slurm',
    nodes: written.nodes ?? plan.nodes ?? DEFAULT_NODES,
    include: written.include ?? [],
    exclude: written.exclude ?? [],
    ...(written.symlinks === undefined ? {} : { symlinks: written.symlinks }),
    ...(written.umask === undefined ? {} : { umask: written.umask }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...fixupOf(seen),
    options: written.options ?? {},
    onChange: written.onChange ?? 'refuse',
    followDestinationLinks: written.followDestinationLinks ?? false,
    after: [...new Set(parentsOf({ name, written }))].map(transferName),
    afterJobs: outsideJobsOf(seen),
    attempts: written.retries?.attempts ?? DEFAULT_ATTEMPTS,
    slurm: {
      copy: slurmOf(plan, written, 'copy'),
      fixup: slurmOf(plan, written, 'fixup'),
      verify: slurmOf(plan, written, 'verify'),
      prune: slurmOf(plan, written, 'prune'),
      directories: slurmOf(plan, written, 'fixup'),
    },
  }
}

function fixupOf({ written: { fixup }, from, fixupFrom }: SeenTransfer): { readonly fixup?: Fixup } {
  if (fixup === undefined) return {}
  const other = fixupFrom === undefined || isSamePlace(from, fixupFrom) ? undefined : fixupFrom.location
  return {
    fixup: {
      ...(other === undefined ? {} : { from: other }),
      preserve: fixup.preserve ?? defaultPreserve,
      owners: fixup.owners ?? 'names',
    },
  }
}

/** The innermost wins: plan, then transfer, then stage. `extra` is replaced as a whole, like every other field. */
function slurmOf(
  plan: WrittenPlan,
  transfer: SeenTransfer['written'],
  stage: (typeof slurmStages)[number],
): SlurmOptions {
  const merged: WrittenSlurm = {
    ...(plan.exclusive === undefined ? {} : { exclusive: plan.exclusive }),
    ...plan.slurm,
    ...(transfer.exclusive === undefined ? {} : { exclusive: transfer.exclusive }),
    ...withoutStages(transfer.slurm ?? {}),
    ...transfer.slurm?.[stage],
  }
  const { time, memory, requeue, extra, ...rest } = merged
  const limit = time === undefined ? undefined : parseDuration(time)
  return {
    ...rest,
    ...(limit === undefined ? {} : { time: limit }),
    ...(memory === undefined ? {} : { memory: String(memory) }),
    requeue: requeue ?? true,
    extra: extra ?? [],
  }
}

function withoutStages(slurm: WrittenTransferSlurm): WrittenSlurm {
  return Object.fromEntries(Object.entries(slurm).filter(([key]) => !stageNames.has(key)))
}

function toolSetup({ setup, path }: WrittenTool, { folder, home }: PlanFile): ToolSetup {
  return { setup: setup ?? [], ...(path === undefined ? {} : { path: absolutePath(path, folder, home) }) }
}

function baseName(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  return name.replace(/(?<=.)\.ya?ml$/, '')
}
