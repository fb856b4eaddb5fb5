/** Runs whole programs and times them from outside. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Timed {
  readonly seconds: number
  readonly exitCode: number | null
  readonly stdout: string
  /** The end of it. */
  readonly stderr: string
}

/** Characters. */
const STDERR_KEPT = 4096

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** One run. Of its stderr the end is kept, its stdout whole. @throws Error when it can not be started. */
export async function timed(argv: readonly string[], options: RunOptions = {}): Promise<Timed> {
  const [program = '', ...args] = argv
  const start = performance.now()
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_KEPT)))
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { seconds: (performance.now() - start) / 1000, exitCode, stdout, stderr }
}

/** Like `timed`. @throws Error when it does not end 0, because a figure of a failed run means nothing. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<Timed> {
  const result = await timed(argv, options)
  if (result.exitCode !== 0)
    throw new Error(`${argv.join(' ')} ended with ${String(result.exitCode)}:\n${result.stderr}`)
  return result
}

/**
 * Runs one after the other in turn, so that a machine whose speed drifts treats both alike.
 * Returns the seconds of each run of each side, warm-up left out.
 */
export async function inTurn(
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
  runs: number,
): Promise<{ readonly ours: readonly number[]; readonly theirs: readonly number[] }> {
  await ours()
  await theirs()
  const seconds = { ours: [] as number[], theirs: [] as number[] }
  for (let round = 0; round < runs; round++) {
    seconds.ours.push(await ours())
    seconds.theirs.push(await theirs())
  }
  return seconds
}

export function fixed(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1)
}
