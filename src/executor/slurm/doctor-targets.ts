/** Which nodes `doctor --nodes` asks, and as whom. */

import { bad, type Answer } from '../../diagnostic-finding.ts'
import type { Plan, SlurmOptions } from '../../plan/plan.ts'
import { seconds, type Seconds } from '../../units.ts'
import { isNodeUp, meetsConstraint, type Cluster } from './cluster.ts'
import { literalPattern, resourceArgs } from './directives.ts'
import { jobSetsOf, partitionNames, partitionsOf, type JobSet } from './job-sets.ts'
import type { Call } from './queue.ts'

/** A node that takes jobs. */
export interface NodeTarget {
  /** Its name; of any node of a partition a word that stands for it. */
  readonly node: string
  /** Any node that the plan's own jobs could get: what it is called until it has told its name. */
  readonly anyOf?: string
  readonly partition: string
  readonly slurm: SlurmOptions
}

export interface Targets {
  readonly up: readonly NodeTarget[]
  /** Those that nobody can ask now. */
  readonly away: readonly Answer[]
}

/** One job each: more than this are a burden to the controller, and tell nothing new. */
const NODES_MAX = 256

/** Without a plan the default partition stands for all. */
const anyJob: JobSet = { steps: [], slurm: { requeue: false, extra: [] }, args: [] }

/** Every node of the plan's partitions once, without those that the plan excludes, or that lack what its `constraint` asks for. */
export async function nodeTargets(
  plan: Plan | undefined,
  cluster: Cluster,
  call: Call,
  stop: AbortSignal,
): Promise<Targets> {
  const up = new Map<string, NodeTarget>()
  const away = new Map<string, Answer>()
  for (const set of plan === undefined ? [anyJob] : jobSetsOf(plan)) {
    const excluded = await expand(set.slurm.exclude, call, stop)
    for (const { name: partition, nodes } of partitionsOf(set, cluster))
      for (const node of nodes) {
        if (excluded.has(node.name) || !meetsConstraint(node, set.slurm.constraint)) continue
        if (!isNodeUp(node))
          away.set(
            node.name,
            unknownNode(node.name, `was not asked: it is ${node.state}`, reasonCommand(node.name)),
          )
        else if (!up.has(node.name)) up.set(node.name, { node: node.name, partition, slurm: set.slurm })
      }
  }
  const all = [...up.values()]
  for (const { node } of all.slice(NODES_MAX))
    away.set(
      node,
      unknownNode(
        node,
        `was not asked: ${NODES_MAX} others are`,
        'Leave out with `slurm: exclude` what was well.',
      ),
    )
  return { up: all.slice(0, NODES_MAX), away: [...away.values()] }
}

/** One node of each kind that the plan's jobs go to, whichever Slurm chooses. */
export function someTargets(plan: Plan, cluster: Cluster): readonly NodeTarget[] {
  const targets = new Map<string, NodeTarget>()
  for (const set of jobSetsOf(plan)) {
    const { constraint = '', exclude = '' } = set.slurm
    const partition = partitionNames(set, cluster).join(',')
    const key = [partition, constraint, exclude].join('\0')
    const anyOf = `a node of ${partition}`
    if (!targets.has(key))
      targets.set(key, { node: `any${targets.size}`, anyOf, partition, slurm: set.slurm })
  }
  return [...targets.values()]
}

/** What nobody knows of a node, because it was not asked or did not answer. */
export function unknownNode(node: string, what: string, todo: string): Answer {
  const finding = bad('unknown', 'SX712', `${node} ${what}`, todo)
  return { topic: 'node', subject: node, node, findings: [finding] }
}

function reasonCommand(node: string): string {
  return `\`scontrol show node ${node}\` gives the reason; ask again when it is back.`
}

async function expand(list: string | undefined, call: Call, stop: AbortSignal): Promise<ReadonlySet<string>> {
  if (list === undefined) return new Set()
  const answer = await call(['scontrol', 'show', 'hostnames', list], stop)
  return new Set(answer.ok ? answer.value.stdout.trim().split('\n') : [])
}

/** What the names of all jobs of one round begin with. */
export function roundPrefix(id: string): string {
  return `soxplan-doctor-${id}-`
}

/** A site may ask for more than one question needs, but hardly for more memory than this. */
const MEMORY = '256M'

/** The argv of one job, behind `sbatch`: as small as it can be, and as the plan's jobs are billed and let in. */
export function questionArgs(
  { node, anyOf, partition, slurm }: NodeTarget,
  round: string,
  limit: Seconds,
  files: { readonly script: string; readonly folder: string; readonly answer: string; readonly log: string },
): readonly string[] {
  const { account, qos, reservation, constraint, exclude } = slurm
  const isAny = anyOf !== undefined
  const who: SlurmOptions = {
    partition,
    ...(isAny && constraint !== undefined ? { constraint } : {}),
    ...(isAny && exclude !== undefined ? { exclude } : {}),
    ...(account === undefined ? {} : { account }),
    ...(qos === undefined ? {} : { qos }),
    ...(reservation === undefined ? {} : { reservation }),
    time: seconds(limit),
    cpus: 1,
    memory: MEMORY,
    requeue: false,
    extra: [],
  }
  return [
    '--parsable',
    `--job-name=${round}${node}`,
    ...(isAny ? [] : [`--nodelist=${node}`]),
    '--nodes=1',
    '--ntasks=1',
    '--no-requeue',
    '--open-mode=append',
    `--chdir=${files.folder}`,
    `--output=${literalPattern(files.answer)}`,
    `--error=${literalPattern(files.log)}`,
    '--export=ALL',
    ...resourceArgs(who, { stage: 'verify' }),
    files.script,
  ]
}
