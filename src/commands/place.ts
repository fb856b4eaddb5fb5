/** Where workers will run, and how many. */

import type { Finding } from '../diagnostic-finding.ts'
import { fail, failWith, ok } from '../diagnostic.ts'
import type { Diagnostic, Result } from '../diagnostic.ts'
import { chooseExecutor } from '../edge/executor-choice.ts'
import { lookAtCluster } from '../executor/slurm/cluster.ts'
import { commandEnvironment } from '../executor/slurm/environment.ts'
import { resourceArgs } from '../executor/slurm/directives.ts'
import { fitsOf, refusalOf } from '../executor/slurm/fit.ts'
import type { Step } from '../graph/step.ts'
import { jobSetsOf } from '../executor/slurm/job-sets.ts'
import { checkOutsideJobs } from '../executor/slurm/outside-jobs.ts'
import { caller } from '../executor/slurm/queue.ts'
import type { Plan, Transfer } from '../plan/plan.ts'
import { defaultShardSecondsMin } from '../shard/count.ts'
import type { ExecutorKind } from '../run/event.ts'
import { fullCode, isFull } from '../run/executor.ts'
import { formatBytes } from '../view/format.ts'
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

/** Where a plan's work would be done, and what speaks for and against it. */
export interface Place {
  readonly executor: ExecutorKind
  readonly warnings: readonly Diagnostic[]
  /** When Slurm would start a job of a stage now, by `transfer.stage`. */
  readonly startsAt: ReadonlyMap<string, string>
  /** Workers of one stage at most; absent: as many as the plan says. */
  readonly workersMax?: number
  /** Slurm keeps accounts, and may have limits on jobs that wait. */
  readonly hasAccounting?: boolean
}

/**
 * Asks Slurm, before anything is listed, whether it would take the plan's jobs and start them some day. Fails SX519 and
 * as `checkOutsideJobs`, SX501 when Slurm does not answer, and SX510 to SX516 for jobs that it would refuse or never start.
 */
export async function settlePlace(plan: Plan, executor: ExecutorKind, io: CommandIo): Promise<Result<Place>> {
  const waits = await checkAfterJobs(plan, executor, io)
  if (!waits.ok) return waits
  const sets = executor === 'slurm' ? jobSetsOf(plan) : []
  if (sets.length === 0) return ok({ executor, warnings: [], startsAt: new Map() })
  const cluster = await lookAtCluster(caller(commandEnvironment(io.env)), io.interrupt)
  if (!cluster.ok) return cluster
  const context = { shellEnv: io.env, bytesText: formatBytes }
  const fits = await fitsOf(context, sets, cluster.value, io.interrupt)
  const found = fits.flatMap(({ findings }) => findings.flatMap(asDiagnostic))
  const errors = found.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) return fail(errors)
  const startsAt = fits.flatMap(({ set, startsAt: at }) =>
    at === undefined ? [] : set.steps.map((step): [string, string] => [step, at]),
  )
  const { arrayMax, hasAccounting } = cluster.value
  return ok({ executor, warnings: found, startsAt: new Map(startsAt), workersMax: arrayMax, hasAccounting })
}

/**
 * Would all of a run's workers fit into the queue at once? Asked only where limits are kept, by one array of as many as all
 * stages have together. Undefined: they would, or Slurm does not say.
 */
export async function lackOfRoom(
  steps: readonly Step[],
  { executor, hasAccounting, workersMax = Infinity }: Place,
  io: CommandIo,
): Promise<Diagnostic | undefined> {
  const jobs = steps.filter(({ transfer }) => transfer.where === 'slurm')
  const [first] = jobs
  if (executor !== 'slurm' || hasAccounting !== true || first === undefined) return undefined
  const workers = jobs.reduce((sum, step) => sum + step.workers, 0)
  const args = resourceArgs(first.transfer.slurm[first.stage], first)
  const diagnostics = await refusalOf(args, Math.min(workers, workersMax), io.env, io.interrupt)
  if (!isFull(diagnostics)) return undefined
  return {
    code: fullCode,
    severity: 'warning',
    what: `The ${workers} workers of all stages together are more than your account may have in the queue at once`,
    why: 'What fits is handed over first, and the rest as room comes up.',
    todo: 'Let this command stay until all is handed over, or lower `nodes`.',
  }
}

function asDiagnostic(finding: Finding): readonly Diagnostic[] {
  if (finding.verdict === 'ok') return []
  const { verdict, ...rest } = finding
  return [{ ...rest, severity: verdict === 'error' ? 'error' : 'warning' }]
}

/**
 * Jobs outside of the plan that its transfers stand after: only Slurm can wait for them, and only for those that it knows.
 * Fails SX519, and as `checkOutsideJobs`.
 */
async function checkAfterJobs(
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

/** Workers of a transfer at most. They pull, so that fewer than the plan names do the same work. */
export function workersFor(
  { executor, workersMax = Infinity }: Pick<Place, 'executor' | 'workersMax'>,
  flags: PlaceFlags,
): (transfer: Transfer) => number {
  const slots = flags.slots ?? DEFAULT_SLOTS
  return (transfer) =>
    executor === 'slurm' && transfer.where === 'slurm' ? Math.min(transfer.nodes, workersMax) : slots
}

/** Tests have little data and want many shards of it; nobody else should set this. */
export function shardSecondsMin(env: CommandIo['env']): number {
  const asked = Number(env['SOXPLAN_SHARD_SECONDS'] ?? NaN)
  return asked > 0 ? asked : defaultShardSecondsMin
}
