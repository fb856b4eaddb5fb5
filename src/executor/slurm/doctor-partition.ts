/** A plan's jobs against what the partitions of a cluster allow, in words. */

import { bad, good, type Finding } from '../../diagnostic-finding.ts'
import { isNodeUp, limitSeconds, memoryBytes, type Cluster, type Partition } from './cluster.ts'
import { slurmTime, timeOf } from './directives.ts'
import { partitionNames, partitionsOf, type JobSet } from './job-sets.ts'
import { knownRefusal } from './refusal.ts'

type BytesText = (count: number) => string

/** What a partition is like, and whether it takes jobs at all. */
export function judgePartition(partition: Partition, bytesText: BytesText): readonly Finding[] {
  const { name, state, nodes, timeMax } = partition
  if (state !== 'UP')
    return [
      bad(
        'error',
        'SX711',
        `partition ${name} is ${state}: jobs do not start there`,
        'Wait until it is UP, or name another one under `slurm: partition`.',
      ),
    ]
  const up = nodes.filter(isNodeUp)
  if (up.length === 0)
    return [
      bad(
        'warning',
        'SX711',
        `partition ${name}: none of its ${nodes.length} nodes takes jobs now (${countStates(partition)})`,
        'See `sinfo --list-reasons`, and ask whoever runs the cluster when they come back.',
      ),
    ]
  const cpus = range(
    nodes.map((node) => node.cpus),
    String,
  )
  const memory = range(
    nodes.map((node) => node.memoryBytes),
    bytesText,
  )
  const limit = Number.isFinite(limitSeconds(timeMax)) ? `jobs up to ${timeMax}` : 'jobs of any length'
  return [
    good(`partition ${name}: ${up.length} of ${nodes.length} nodes up, ${cpus} CPUs, ${memory}, ${limit}`),
  ]
}

function range(values: readonly number[], text: (value: number) => string): string {
  const [low, high] = [text(Math.min(...values)), text(Math.max(...values))]
  return low === high ? low : `${low} to ${high}`
}

/** `3 down, 1 drained` */
function countStates({ nodes }: Partition): string {
  const counts = new Map<string, number>()
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
}

/** What Slurm would refuse, or take and never start. Nothing where all is well. */
export function judgeJobs(set: JobSet, cluster: Cluster, bytesText: BytesText): readonly Finding[] {
  const steps = set.steps.join(', ')
  const names = partitionNames(set, cluster)
  if (names.length === 0)
    return [
      bad(
        'error',
        'SX510',
        `${steps}: no partition is named, and this Slurm has no default`,
        'Write one of those that `sinfo --summarize` lists under `slurm: partition`.',
      ),
    ]
  const partitions = partitionsOf(set, cluster)
  const unknown = names.filter((name) => !partitions.some((partition) => partition.name === name))
  if (unknown.length > 0) {
    const { code, what, todo } = knownRefusal('SX510')
    return unknown.map((name) => bad('error', code, `${steps}: ${what}: ${name}`, todo))
  }
  return [...judgeTime(set, partitions), ...judgeSize(set, partitions, bytesText)]
}

/** Slurm takes a job whose limit is too long, unless the site sets EnforcePartLimits, and lets it wait for ever. */
function judgeTime({ steps, slurm }: JobSet, partitions: readonly Partition[]): readonly Finding[] {
  const time = timeOf(slurm)
  if (partitions.some(({ timeMax }) => limitSeconds(timeMax) >= time)) return []
  const limits = partitions.map(({ name, timeMax }) => `${name} ${timeMax}`).join(', ')
  const { code, what, todo } = knownRefusal('SX514')
  const asked = slurm.time === undefined ? `${slurmTime(time)}, because the plan names none` : slurmTime(time)
  return [
    bad(
      'error',
      code,
      `${steps.join(', ')}: ${what}: ${asked} (${limits})`,
      todo,
      'The job would wait for ever.',
    ),
  ]
}

function judgeSize(
  { steps, slurm }: JobSet,
  partitions: readonly Partition[],
  bytesText: BytesText,
): readonly Finding[] {
  const nodes = partitions.flatMap((partition) => partition.nodes)
  const [cpus, memory] = [slurm.cpus ?? 1, memoryBytes(slurm.memory ?? '0') ?? 0]
  if (nodes.length === 0 || nodes.some((node) => node.cpus >= cpus && node.memoryBytes >= memory)) return []
  const { code, what, todo } = knownRefusal('SX512')
  const largest = [
    `${Math.max(...nodes.map((node) => node.cpus))} CPUs`,
    bytesText(Math.max(...nodes.map((node) => node.memoryBytes))),
  ]
  return [
    bad('error', code, `${steps.join(', ')}: ${what}`, todo, `The largest have ${largest.join(' and ')}.`),
  ]
}
