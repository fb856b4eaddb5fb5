/** The door to other programs, for calls that end by themselves and answer with little text. The only file that imports execa. */

import { fail, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import type { Millis } from '../units.ts'
import { killGroup } from './kill-group.ts'

/** A program and its arguments. Never a shell line. */
export type Argv = readonly [program: string, ...args: string[]]

export interface Limits {
  readonly timeoutMillis: Millis
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stop?: AbortSignal
  /** In a session of its own, where the terminal's Ctrl-C does not reach it: the caller decides when it ends. */
  readonly ownSession?: boolean
  /** The same, and what it has started is ended together with it: its children may hold on to its output. */
  readonly ownGroup?: boolean
}

export interface ProcessFailure {
  readonly argv: Argv
  /** `missing`: no such program. `exit`: it answered with `exitCode`. `timeout`, `stopped`: it was ended by us. `signal`: by somebody else. */
  readonly kind: 'missing' | 'exit' | 'timeout' | 'stopped' | 'signal' | 'flood'
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

const OUTPUT_CHARS_MAX = 64 * 2 ** 20
const STDERR_TAIL_CHARS = 4000
const KILL_DELAY_MILLIS = 5000

/** What a program said last, which is nearly always why it failed; else how it ended. */
export function whyFailed({ stderr, kind, exitCode }: ProcessFailure): string {
  const said = stderr.trim().split('\n').at(-1) ?? ''
  return said === '' ? (howItEnded[kind] ?? `it ended with exit code ${exitCode ?? '?'}`) : said
}

const howItEnded: Readonly<Partial<Record<ProcessFailure['kind'], string>>> = {
  missing: 'there is no such program',
  timeout: 'it did not answer in time',
  stopped: 'it did not answer until it was stopped',
  signal: 'somebody ended it',
}

/** Runs a program to its end. Failure is data: nothing is thrown, and nothing is tried again. */
export async function run(
  [program, ...args]: Argv,
  limits: Limits,
): Promise<Result<{ stdout: string; stderr: string }, ProcessFailure>> {
  // Loaded with the first program: it takes 0.1 s, and an apply that finds nothing left to do calls none.
  const { execa } = await import('execa')
  const child = execa(program, args, {
    reject: false,
    shell: false,
    stdin: 'ignore',
    env: limits.env,
    extendEnv: false,
    timeout: limits.timeoutMillis,
    forceKillAfterDelay: KILL_DELAY_MILLIS,
    maxBuffer: OUTPUT_CHARS_MAX,
    detached: limits.ownSession === true || limits.ownGroup === true,
    ...(limits.cwd === undefined ? {} : { cwd: limits.cwd }),
    ...(limits.stop === undefined ? {} : { cancelSignal: limits.stop }),
  })
  const endGroup = (): void => {
    killGroup(child.pid)
  }
  if (limits.ownGroup === true) limits.stop?.addEventListener('abort', endGroup)
  const out = await child
  limits.stop?.removeEventListener('abort', endGroup)
  const stdout = typeof out.stdout === 'string' ? out.stdout : ''
  const stderr = typeof out.stderr === 'string' ? out.stderr.slice(-STDERR_TAIL_CHARS) : ''
  if (!out.failed) return ok({ stdout, stderr })
  return fail({ argv: [program, ...args], kind: kindOf(out), exitCode: out.exitCode, stdout, stderr })
}

interface Outcome {
  readonly code?: string | undefined
  readonly timedOut: boolean
  readonly isCanceled: boolean
  readonly isMaxBuffer: boolean
  readonly exitCode?: number | undefined
}

function kindOf(out: Outcome): ProcessFailure['kind'] {
  if (out.timedOut) return 'timeout'
  if (out.isCanceled) return 'stopped'
  if (out.isMaxBuffer) return 'flood'
  if (out.exitCode !== undefined) return 'exit'
  return out.code === 'ENOENT' || out.code === 'EACCES' ? 'missing' : 'signal'
}
