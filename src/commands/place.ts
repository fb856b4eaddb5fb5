/** Where workers will run, and how many. */

import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { chooseExecutor } from '../edge/executor-choice.ts'
import { commandEnvironment } from '../executor/slurm/environment.ts'
import { checkOutsideJobs } from '../executor/slurm/outside-jobs.ts'
import { caller } from '../executor/slurm/queue.ts'
import type { Plan, Transfer } from '../plan/plan.ts'
import { defaultShardSecondsMin } from '../shard/count.ts'
import type { ExecutorKind } from '../run/event.ts'
import type { CommandIo } from './io.ts'

export interface PlaceFlags {
  readonly executor: 'auto' | ExecutorKind
  readonly slots?: number
  readonly state?: string
}

/** Two tools at a time keep a login node usable, and one of them busy while the other starts. */
const DEFAULT_SLOTS = 2

export function settleExecutor(flags: PlaceFlags, io: CommandIo): Promise<Result<ExecutorKind>> {
  return chooseExecutor(flags.executor, io.env, commandEnvironment(io.env))
}

/**
 * Jobs outside of the plan that its transfers stand after: only Slurm can wait for them, and only for those that it knows.
 * Fails SX519, and as `checkOutsideJobs`.
 */
export async function checkAfterJobs(
  { transfers }: Plan,
  executor: ExecutorKind,
  io: CommandIo,
): Promise<Result<undefined>> {
  const ids = [...new Set(transfers.flatMap(({ afterJobs }) => afterJobs))]
  if (ids.length === 0) return ok(undefined)
  if (executor === 'slurm') return checkOutsideJobs(ids, caller(commandEnvironment(io.env)))
  return failWith(
    'SX519',
    `Workers on this machine cannot wait for Slurm jobs, and the plan names ${ids.join(', ')}`,
    'Use --executor slurm, or remove them from `after` and apply when they have ended.',
  )
}

export function workersFor(executor: ExecutorKind, flags: PlaceFlags): (transfer: Transfer) => number {
  const slots = flags.slots ?? DEFAULT_SLOTS
  return (transfer) => (executor === 'slurm' && transfer.where === 'slurm' ? transfer.nodes : slots)
}

/** Tests have little data and want many shards of it; nobody else should set this. */
export function shardSecondsMin(env: CommandIo['env']): number {
  const asked = Number(env['SOXPLAN_SHARD_SECONDS'] ?? NaN)
  return asked > 0 ? asked : defaultShardSecondsMin
}
