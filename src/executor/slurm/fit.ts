/** Would Slurm take the jobs of a plan, and start them some day? Asked before anything is submitted. */

import type { Diagnostic } from '../../diagnostic.ts'
import { bad, trouble, type Finding } from '../../diagnostic-finding.ts'
import { nothingToRun } from '../../script/doctor-job.ts'
import { isNodeUp, type Cluster } from './cluster.ts'
import { judgeJobs } from './doctor-partition.ts'
import { submitEnvironment } from './environment.ts'
import { partitionsOf, type JobSet } from './job-sets.ts'
import { caller, type Call } from './queue.ts'
import { refusal } from './refusal.ts'

export interface FitContext {
  readonly shellEnv: Readonly<Record<string, string | undefined>>
  /** How a number of bytes is shown. */
  readonly bytesText: (count: number) => string
}

/** What Slurm thinks of one kind of job. */
export interface Fit {
  readonly set: JobSet
  /** Errors would be refused, or taken and never started; warnings are as the cluster is now. */
  readonly findings: readonly Finding[]
  /** When Slurm would start one now, `2026-11-26T20:52:14` in UTC; absent where it says nothing. */
  readonly startsAt?: string
}

/** Of what `--test-only` says, this depends on how the cluster is now: nodes that are away, jobs that are in the queue. */
const passing: ReadonlySet<string> = new Set(['SX500', 'SX512', 'SX513'])

/** One `sbatch --test-only` for each kind of job that could go by what Slurm shows of itself. */
export async function fitsOf(
  context: FitContext,
  sets: readonly JobSet[],
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly Fit[]> {
  const sbatch = askerOf(context.shellEnv)
  const fits: Fit[] = []
  for (const set of sets) fits.push(await fitOf(context, set, cluster, sbatch, signal))
  return fits
}

async function fitOf(
  { bytesText }: FitContext,
  set: JobSet,
  cluster: Cluster,
  sbatch: Call,
  signal: AbortSignal,
): Promise<Fit> {
  const found = judgeJobs(set, cluster, bytesText)
  if (found.length > 0) return { set, findings: found }
  const ask = ['--test-only', '--nodes=1', '--ntasks=1', ...set.args, `--wrap=${nothingToRun}`]
  const answer = await sbatch(['sbatch', ...ask], signal)
  const notes = [...closedNote(set, cluster), ...gpuNote(set, cluster)]
  if (answer.ok) {
    const [, startsAt] = / to start at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d) /.exec(answer.value.stderr) ?? []
    return { set, findings: notes, ...(startsAt === undefined ? {} : { startsAt }) }
  }
  // Where no node takes jobs now, Slurm says of all of them that they fit nowhere.
  if (notes.some(({ verdict }) => verdict === 'warning') && isAllAway(set, cluster))
    return { set, findings: notes }
  const said = refusal('sbatch', answer.error)
  const steps = set.steps.join(', ')
  const verdict = passing.has(said.code) ? 'warning' : 'error'
  return { set, findings: [trouble({ ...said, what: `${steps}: ${said.what}` }, verdict), ...notes] }
}

/** What Slurm says against one array of so many workers, if anything. */
export async function refusalOf(
  args: readonly string[],
  workers: number,
  shellEnv: FitContext['shellEnv'],
  signal: AbortSignal,
): Promise<readonly Diagnostic[]> {
  const array = `--array=0-${workers - 1}`
  const ask = ['--test-only', array, '--nodes=1', '--ntasks=1', ...args, `--wrap=${nothingToRun}`]
  const answer = await askerOf(shellEnv)(['sbatch', ...ask], signal)
  return answer.ok ? [] : [refusal('sbatch', answer.error)]
}

/** No secret of the shell travels along, and what is read is in English and UTC. */
function askerOf(shellEnv: FitContext['shellEnv']): Call {
  return caller({ ...submitEnvironment(shellEnv, []), LC_ALL: 'C', TZ: 'UTC' })
}

function isAllAway(set: JobSet, cluster: Cluster): boolean {
  const partitions = partitionsOf(set, cluster)
  return !partitions.some(({ state, nodes }) => state === 'UP' && nodes.some(isNodeUp))
}

/** Jobs are taken and wait. */
function closedNote(set: JobSet, cluster: Cluster): readonly Finding[] {
  if (!isAllAway(set, cluster)) return []
  const names = partitionsOf(set, cluster).map(({ name }) => name)
  return [
    bad(
      'warning',
      'SX711',
      `${set.steps.join(', ')}: no node of ${names.join(', ')} takes jobs now`,
      'They wait in the queue until some do; `sinfo --list-reasons` says why none does.',
    ),
  ]
}

/** A copy that holds the CPUs of GPU nodes keeps from them what they are there for. */
function gpuNote(set: JobSet, cluster: Cluster): readonly Finding[] {
  const own = partitionsOf(set, cluster)
  const hasOnlyGpus = own.length > 0 && own.every(({ nodes }) => nodes.every(({ hasGpus }) => hasGpus))
  const others = cluster.partitions.filter(
    ({ state, nodes }) => state === 'UP' && nodes.some((node) => isNodeUp(node) && !node.hasGpus),
  )
  if (!hasOnlyGpus || others.length === 0 || set.slurm.gres?.includes('gpu') === true) return []
  return [
    bad(
      'warning',
      'SX716',
      `${set.steps.join(', ')}: every node of ${own.map(({ name }) => name).join(', ')} has GPUs, which a copy does not use`,
      `Name ${others.map(({ name }) => name).join(' or ')} under \`slurm: partition\`, if it sees the same file system.`,
    ),
  ]
}
