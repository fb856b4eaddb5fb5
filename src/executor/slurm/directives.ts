/** A step becomes the argv of one sbatch: every option explicit, all of them before the script (options behind it are script arguments). */

import path from 'node:path'
import type { SlurmOptions } from '../../plan/plan.ts'
import type { Step } from '../../graph/step.ts'
import type { Seconds, RunId } from '../../units.ts'

/** Seconds before the time limit at which the batch shell gets USR2; Slurm may send it up to a minute earlier. */
export const TIME_LIMIT_WARNING_SECONDS = 120
/** Of a short time limit the warning takes this part at most: a worker that is warned as it starts would never do anything. */
const TIME_LIMIT_WARNING_PART = 1 / 4
/** What a job asks for when the plan names no time: sbatch without `--time` takes a partition's default, which may be for ever. */
export const DEFAULT_TIME_SECONDS = 24 * 60 * 60
/** Slurm's own log of a worker, inside the stage folder. */
export const LOG_FOLDER = 'logs'

export interface SubmitRequest {
  readonly run: RunId
  readonly step: Step
  readonly stageFolder: string
  readonly scriptPath: string
  /** Array ids of the parents; each is waited for by its task 0, which closes the stage. */
  readonly after: readonly string[]
  /** It starts nothing before it is released, whatever it stands after. */
  readonly held: boolean
}

/** What the names of all jobs of a run begin with, and no other job's. */
export function jobNamePrefix(run: RunId): string {
  return `sox-${run}-`
}

/** `sox-<run>-<transfer>.<stage>`: only characters that squeue's text output and everybody's scripts take as they are. */
export function jobName(run: RunId, step: Step): string {
  return `${jobNamePrefix(run)}${step.id}`
}

/** The task that what stands behind an array waits for: the first, which closes the stage. */
export function closerOf(arrayId: string): string {
  return `${arrayId}_0`
}

export function sbatchArgs(request: SubmitRequest): readonly string[] {
  const { step, after, held, stageFolder } = request
  const slurm = step.transfer.slurm[step.stage]
  const log = logPattern(stageFolder)
  const before = [...after.map(closerOf), ...step.afterJobs]
  return [
    '--parsable',
    `--job-name=${jobName(request.run, step)}`,
    `--array=0-${step.workers - 1}`,
    ...(held ? ['--hold'] : []),
    ...(before.length === 0 ? [] : [`--dependency=afterok:${before.join(':')}`]),
    '--kill-on-invalid-dep=yes',
    slurm.requeue ? '--requeue' : '--no-requeue',
    '--open-mode=append',
    `--chdir=${stageFolder}`,
    `--output=${log}`,
    `--error=${log}`,
    `--signal=B:USR2@${warningSeconds(timeOf(slurm))}`,
    // All of sbatch's environment, which is made for it: naming variables here would have slurmd load the user's
    // login environment on every node first, seconds to minutes of somebody's profile (seen on 22.05).
    '--export=ALL',
    '--nodes=1',
    '--ntasks=1',
    ...resourceArgs(slurm, step),
    request.scriptPath,
  ]
}

/** What the preview shows as "Slurm", and what sbatch is told: one list, so that the two can not differ. */
export function resourceArgs(slurm: SlurmOptions, step: Pick<Step, 'stage'>): readonly string[] {
  const named: readonly (readonly [string, string | number | undefined])[] = [
    ['time', slurmTime(timeOf(slurm))],
    ['partition', slurm.partition],
    ['account', slurm.account],
    ['qos', slurm.qos],
    ['reservation', slurm.reservation],
    ['constraint', slurm.constraint],
    ['exclude', slurm.exclude],
    ['gres', slurm.gres],
    ['licenses', slurm.licenses],
    ['nice', slurm.nice],
    ['mail-type', slurm.mailType],
    ['mail-user', slurm.mailUser],
    ['cpus-per-task', slurm.cpus],
    ['mem', slurm.memory],
  ]
  const options = named.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]))
  const alone = slurm.exclusive === true && step.stage === 'copy' ? ['--exclusive'] : []
  return [...options, ...alone, ...slurm.extra]
}

/** What a job asks for, whether or not the plan names it. */
export function timeOf(slurm: SlurmOptions): Seconds {
  return slurm.time ?? (DEFAULT_TIME_SECONDS as Seconds)
}

function warningSeconds(time: Seconds): number {
  return Math.min(TIME_LIMIT_WARNING_SECONDS, Math.floor(time * TIME_LIMIT_WARNING_PART))
}

/**
 * Where Slurm writes what a worker prints. The whole path is a pattern: slurmd reads a `%` in the run folder's own
 * path, too, and with a backslash anywhere it replaces nothing, so that all workers then share one file (seen on 22.05:
 * a job whose log can not be opened ends 0:53 without a word).
 */
export function logPattern(stageFolder: string): string {
  const folder = path.join(stageFolder, LOG_FOLDER)
  return `${literalPattern(folder)}/${folder.includes('\\') ? 'workers.log' : '%A_%a.log'}`
}

/** The pattern that stands for exactly this path. */
export function literalPattern(file: string): string {
  return file.includes('\\') ? file.replaceAll('\\', '\\\\') : file.replaceAll('%', '%%')
}

/** Slurm's `days-hours:minutes:seconds`. */
export function slurmTime(time: Seconds): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const days = Math.floor(time / 86_400)
  const rest = `${two(Math.floor(time / 3600) % 24)}:${two(Math.floor(time / 60) % 60)}:${two(time % 60)}`
  return days > 0 ? `${days}-${rest}` : rest
}
