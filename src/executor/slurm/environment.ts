/** The environment Slurm's commands and jobs see. */

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that change what sbatch submits or what squeue prints (`SBATCH_ARRAY_INX` turns a job into an array). */
const changesSlurm = /^(SBATCH|SQUEUE|SACCT|SCANCEL|SCONTROL|SINFO|SLURM|SALLOC|SRUN)_/

/** What a job needs to find its tools and the user's configuration; never values of the plan, and no secrets. */
const basicNames = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'TMPDIR'] as const

/** The worker script's timing constants, which tests shorten. */
const timingNames = [
  'SOXPLAN_BEAT',
  'SOXPLAN_LEASE',
  'SOXPLAN_GRACE',
  'SOXPLAN_KILLGRACE',
  'SOXPLAN_BACKOFF',
] as const

/** For calling Slurm's commands: nothing that changes their answers, English text and UTC for everything we parse. */
export function commandEnvironment(env: Environment): Readonly<Record<string, string>> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (!changesSlurm.test(entry[0]) || entry[0] === 'SLURM_CONF'),
  )
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' }
}

/** For sbatch alone, whose whole environment becomes the job's. */
export function submitEnvironment(
  env: Environment,
  pass: readonly string[],
): Readonly<Record<string, string>> {
  const conf = env['SLURM_CONF']
  return { ...workerEnvironment(env, pass), ...(conf === undefined ? {} : { SLURM_CONF: conf }) }
}

/** All that a worker sees, on a node or on this machine: what is named, if it is set, and nothing else. */
export function workerEnvironment(
  env: Environment,
  pass: readonly string[],
): Readonly<Record<string, string>> {
  const names = [...basicNames, ...pass, ...timingNames]
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
