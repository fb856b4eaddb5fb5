/** Which jobs a plan would hand over: steps that ask for the same stand together. */

import type { StageKind } from '../../graph/step.ts'
import type { Plan, SlurmOptions, Transfer } from '../../plan/plan.ts'
import type { Cluster, Partition } from './cluster.ts'
import { resourceArgs } from './directives.ts'

export interface JobSet {
  /** `data.copy`, `data.verify` */
  readonly steps: readonly string[]
  readonly slurm: SlurmOptions
  /** What sbatch is told about where and how. */
  readonly args: readonly string[]
}

/** Jobs of every stage that a plan may come to have, whatever the sources turn out to hold. */
export function jobSetsOf({ transfers }: Plan): readonly JobSet[] {
  const sets = new Map<string, JobSet>()
  for (const transfer of transfers)
    for (const stage of stagesOf(transfer)) {
      const slurm = transfer.slurm[stage]
      const args = resourceArgs(slurm, { stage })
      const key = args.join('\0')
      const steps = [...(sets.get(key)?.steps ?? []), `${transfer.name}.${stage}`]
      sets.set(key, { steps, slurm, args })
    }
  return [...sets.values()]
}

function stagesOf({ where, fixup, verify, mirror }: Transfer): readonly StageKind[] {
  if (where === 'login') return []
  const wanted: readonly (readonly [StageKind, boolean])[] = [
    ['copy', true],
    ['fixup', fixup !== undefined],
    ['verify', verify !== 'none'],
    ['prune', mirror !== undefined],
    ['directories', fixup !== undefined],
  ]
  return wanted.flatMap(([stage, isWanted]) => (isWanted ? [stage] : []))
}

/** Names of the partitions that a set may run in; none where it names none and Slurm has no default. */
export function partitionNames({ slurm }: JobSet, { partitions }: Cluster): readonly string[] {
  if (slurm.partition !== undefined) return slurm.partition.split(',')
  return partitions.filter(({ isDefault }) => isDefault).map(({ name }) => name)
}

/** Those of them that Slurm knows. */
export function partitionsOf(set: JobSet, cluster: Cluster): readonly Partition[] {
  const names = partitionNames(set, cluster)
  return cluster.partitions.filter(({ name }) => names.includes(name))
}
