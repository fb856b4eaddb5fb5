/** Runs one command of the lab and waits for what a lab needs to wait for. */

import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Longer than sbatch's own patience with a controller that is busy or gone. */
const COMMAND_TIMEOUT_MILLIS = 60_000

/** Never throws for a command that fails; a command that can not be started has exit code 127. */
export function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env, cwd, timeout: COMMAND_TIMEOUT_MILLIS, maxBuffer: 64 * 2 ** 20 }
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : error.killed ? 124 : 127
      resolve({ exitCode: code, stdout, stderr: code === 127 ? `${stderr}${error?.message ?? ''}` : stderr })
    })
  })
}

/**
 * Asks `predicate` again and again until it says true.
 * @throws Error with `describe()` when that takes longer than `timeoutMillis`.
 */
export async function waitUntil(
  what: string,
  predicate: () => boolean | Promise<boolean>,
  timeoutMillis: number,
  describe: () => Promise<string>,
): Promise<void> {
  const end = performance.now() + timeoutMillis
  while (!(await predicate())) {
    if (performance.now() > end) {
      throw new Error(`not within ${timeoutMillis / 1000} s: ${what}\n${await describe()}`)
    }
    await sleep(100)
  }
}
