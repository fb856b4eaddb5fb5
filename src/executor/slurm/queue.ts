/** The jobs of one run, as squeue shows them. */

import { run as runProcess } from '../../edge/process.ts'
import type { Argv, ProcessFailure } from '../../edge/process.ts'
import type { Result } from '../../diagnostic.ts'
import { millis } from '../../units.ts'
import { parseQueue, queueFormat } from './parse.ts'
import type { QueueRow } from './parse.ts'

const QUERY_TIMEOUT = millis(90_000)

export type Call = (
  argv: Argv,
  stop?: AbortSignal,
) => Promise<Result<{ stdout: string; stderr: string }, ProcessFailure>>

/** Rows of the run's jobs, those that have ended too while Slurm remembers them; undefined when Slurm does not answer. */
export type Queue = (stop?: AbortSignal) => Promise<readonly QueueRow[] | undefined>

/** Calls one of Slurm's short commands. Only `stop` and a leash longer than any MessageTimeout end it early. */
export function caller(env: Readonly<Record<string, string>>): Call {
  return (argv, stop) =>
    runProcess(argv, {
      timeoutMillis: QUERY_TIMEOUT,
      env,
      ownSession: true,
      ...(stop === undefined ? {} : { stop }),
    })
}

/**
 * One squeue for everything of the run. `--me` asks the controller for this user's jobs alone, which is the cheap
 * question; names are compared here, because a list of hundreds of names would not fit on a command line.
 */
export function queueOf(namePrefix: string, call: Call): Queue {
  const argv: Argv = ['squeue', '--noheader', '--me', '--states=all', `--format=${queueFormat}`]
  return async (stop) => {
    const answer = await call(argv, stop)
    if (!answer.ok) return undefined
    return parseQueue(answer.value.stdout).filter((row) => row.name.startsWith(namePrefix))
  }
}
