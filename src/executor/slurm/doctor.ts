/** Questions to Slurm, for `soxplan doctor`: does it answer, and would it take and start the plan's jobs? */

import { bad, good, trouble, type Finding } from '../../diagnostic-finding.ts'
import type { Result } from '../../diagnostic.ts'
import { ok } from '../../diagnostic.ts'
import { shared, type Check } from '../../edge/doctor-run.ts'
import { chooseExecutor } from '../../edge/executor-choice.ts'
import type { Plan } from '../../plan/plan.ts'
import { lookAtCluster, type Cluster } from './cluster.ts'
import { judgePartition } from './doctor-partition.ts'
import { commandEnvironment } from './environment.ts'
import { fitsOf, type FitContext } from './fit.ts'
import { jobSetsOf, partitionNames, type JobSet } from './job-sets.ts'
import { caller } from './queue.ts'
import { knownRefusal } from './refusal.ts'

export type SlurmDoctorContext = FitContext

/** Undefined where there is no Slurm. */
export type AskCluster = (signal: AbortSignal) => Promise<Result<Cluster | undefined>>

const ifSilent = 'Try again when `scontrol ping` says UP; --timeout SECONDS waits longer.'

/** The cluster is looked at once, for all that ask. */
export function clusterOnce({ shellEnv }: SlurmDoctorContext): AskCluster {
  return shared(async (signal) => {
    const slurmEnv = commandEnvironment(shellEnv)
    const executor = await chooseExecutor('auto', shellEnv, slurmEnv, signal)
    if (!executor.ok) return executor
    return executor.value === 'local' ? ok(undefined) : lookAtCluster(caller(slurmEnv), signal)
  })
}

/** First Slurm itself, then the partitions, then each kind of job that the plan has. */
export function slurmChecks(
  context: SlurmDoctorContext,
  plan: Plan | undefined,
  askCluster: AskCluster,
): readonly Check[] {
  const sets = plan === undefined ? undefined : jobSetsOf(plan)
  const check = (subject: string, judge: (cluster: Cluster, signal: AbortSignal) => Findings): Check => ({
    topic: 'slurm',
    subject,
    ifSilent,
    ask: async (signal) => {
      const asked = await askCluster(signal)
      return asked.ok && asked.value !== undefined ? judge(asked.value, signal) : []
    },
  })
  return [
    {
      topic: 'slurm',
      subject: 'Slurm',
      ifSilent,
      ask: async (signal) => judgeSlurm(await askCluster(signal)),
    },
    check('partitions', (cluster) =>
      cluster.partitions
        .filter(({ name }) => sets?.some((set) => partitionNames(set, cluster).includes(name)) ?? true)
        .flatMap((partition) => judgePartition(partition, context.bytesText)),
    ),
    check('workers', (cluster) => judgeWorkers(plan, cluster)),
    ...(sets ?? []).map((set) =>
      check(`jobs of ${set.steps.join(', ')}`, (cluster, signal) => askJobs(context, set, cluster, signal)),
    ),
  ]
}

type Findings = readonly Finding[] | Promise<readonly Finding[]>

function judgeSlurm(asked: Result<Cluster | undefined>): readonly Finding[] {
  if (!asked.ok) return asked.error.map((diagnostic) => trouble(diagnostic))
  if (asked.value === undefined) return [good('no Slurm here: plans run on this machine')]
  const { version, name, hasAccounting } = asked.value
  return [
    good(`Slurm ${version}, cluster ${name}`),
    good(hasAccounting ? 'accounting is kept; soxplan does without' : 'no accounting; soxplan does without'),
  ]
}

/** Fewer workers than `nodes` are started where there is little to do, so that too many is no mistake yet. */
function judgeWorkers(plan: Plan | undefined, { arrayMax }: Cluster): readonly Finding[] {
  const { code, what, todo } = knownRefusal('SX515')
  return (plan?.transfers ?? [])
    .filter(({ where, nodes }) => where === 'slurm' && nodes > arrayMax)
    .map(({ name, nodes }) => bad('warning', code, `${name}: ${what}: ${nodes} (${arrayMax} at most)`, todo))
}

/** Slurm's own answer, where ours is that it could go. */
async function askJobs(
  context: SlurmDoctorContext,
  set: JobSet,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const [fit] = await fitsOf(context, [set], cluster, signal)
  const findings = fit?.findings ?? []
  const isTaken = !findings.some(({ verdict }) => verdict === 'error')
  // What is true of a partition stands in its own line.
  const own = findings.filter((finding) => finding.verdict === 'ok' || finding.code !== 'SX711')
  return isTaken && own.length === findings.length
    ? [good(`${set.steps.join(', ')}: Slurm takes jobs with ${set.args.join(' ')}`), ...own]
    : own
}
