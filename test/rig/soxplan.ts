/** Runs the built command as a user does, and gives back all that a user sees. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { PROJECT } from './project.ts'

export interface SoxplanOptions {
  readonly cwd: string
  /** Replaces the environment; the default is this process's without CI and colour variables. */
  readonly env?: NodeJS.ProcessEnv
  /** Written to its standard input, which is then closed. Default: nothing, closed at once. */
  readonly stdin?: string
  /** Run it under a terminal of this size, where stdout and stderr come together in `stdout`. */
  readonly tty?: { readonly columns: number; readonly rows?: number }
  /** Ends it with SIGKILL. Default: 120 s. */
  readonly timeoutMillis?: number
}

export interface SoxplanResult {
  /** 128 + signal number where a signal ended it. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** The program and first argument that start soxplan from this work tree. */
export const SOXPLAN: readonly [string, string] = [process.execPath, join(PROJECT, 'bin', 'soxplan.js')]

const SIGNAL_BASE = 128
const SIGKILL_NUMBER = 9

/** Never throws for what soxplan does: the exit code is part of what is tested. */
export async function runSoxplan(args: readonly string[], options: SoxplanOptions): Promise<SoxplanResult> {
  const [program, ...rest] =
    options.tty === undefined ? [...SOXPLAN, ...args] : underTerminal(args, options.tty)
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: options.env ?? plainEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMillis ?? 120_000,
    killSignal: 'SIGKILL',
  })
  // A command that does not read its input may be gone before it is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  const closed = once(child, 'close') as Promise<[number | null]>
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { exitCode: code ?? SIGNAL_BASE + SIGKILL_NUMBER, stdout, stderr }
}

/** This process's environment without what changes soxplan's output. */
export function plainEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const changing = /^(CI|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|SOXPLAN_.*|SLURM_.*|SBATCH_.*)$/
  const kept = Object.entries(process.env).filter(([name]) => !changing.test(name))
  return { ...Object.fromEntries(kept), ...more }
}

/** util-linux's `script` gives a terminal without a native module; `stty` then gives it its size. */
function underTerminal(
  args: readonly string[],
  { columns, rows = 24 }: { readonly columns: number; readonly rows?: number },
): [string, ...string[]] {
  const command = [...SOXPLAN, ...args].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ')
  const shell = `stty cols ${columns} rows ${rows} -echo; exec ${command}`
  return ['script', '--quiet', '--return', '--flush', '--command', shell, '/dev/null']
}
