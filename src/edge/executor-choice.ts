/** Which executor `auto` means on this machine. A Slurm that is installed but silent is never taken for "no Slurm". */

import { access, constants } from 'node:fs/promises'
import path from 'node:path'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import type { ExecutorKind } from '../run/event.ts'
import { millis } from '../units.ts'
import { run } from './process.ts'

const PING_TIMEOUT = millis(90_000)
const DEFAULT_CONF = '/etc/slurm/slurm.conf'

type Environment = Readonly<Record<string, string | undefined>>

/** `auto` is local only where neither sbatch nor a slurm.conf exists. Slurm, asked for or found, must answer; `stop` ends the wait. */
export async function chooseExecutor(
  asked: ExecutorKind | 'auto',
  env: Environment,
  slurmEnv: Readonly<Record<string, string>>,
  stop?: AbortSignal,
): Promise<Result<ExecutorKind>> {
  if (asked === 'local') return ok('local')
  const hasSbatch = (await findOnPath('sbatch', env)) !== undefined
  const hasConf = env['SLURM_CONF'] !== undefined || (await isReadable(DEFAULT_CONF))
  if (asked === 'auto' && !hasSbatch && !hasConf) return ok('local')
  if (!hasSbatch) {
    return failWith(
      'SX502',
      hasConf && asked === 'auto'
        ? 'This machine has a slurm.conf, but sbatch is not on PATH'
        : 'sbatch is not on PATH',
      'Load the Slurm module or add its folder to PATH, or use --executor local on purpose.',
    )
  }
  const answer = await run(['squeue', '--noheader', '--format=%i', '--jobs=1'], {
    timeoutMillis: PING_TIMEOUT,
    env: slurmEnv,
    ownSession: true,
    ...(stop === undefined ? {} : { stop }),
  })
  if (answer.ok || /Invalid job id/i.test(answer.error.stderr)) return ok('slurm')
  const said = answer.error.stderr.split('\n').find((line) => line.trim() !== '')
  return failWith(
    'SX501',
    'Slurm is installed, but its controller does not answer',
    'Try again when `scontrol ping` says UP, or use --executor local on purpose.',
    said === undefined ? undefined : `squeue said: ${said.trim()}`,
  )
}

/** The absolute path of a program on PATH, or undefined. */
export async function findOnPath(program: string, env: Environment): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(path.delimiter)) {
    if (folder === '') continue
    const file = path.join(folder, program)
    if (await isExecutable(file)) return file
  }
  return undefined
}

const isExecutable = (file: string): Promise<boolean> => hasAccess(file, constants.X_OK)
const isReadable = (file: string): Promise<boolean> => hasAccess(file, constants.R_OK)

async function hasAccess(file: string, mode: number): Promise<boolean> {
  try {
    await access(file, mode)
    return true
  } catch {
    return false
  }
}
