/** Starts real workers on a stage and reads what they left. */

import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toolEnvironment } from '../../src/edge/tool-probe.ts'
import { pace } from '../rig/pace.ts'

/** Beats and leases short enough to watch; a grace that is longer than a beat and a kill. */
export const FAST = pace(0.3, 4)

export interface WorkerOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly args?: readonly string[]
  readonly worker?: number
  /** Runs as this user and group id instead. */
  readonly uid?: number
}

/** A worker as a child process in a session of its own, as the executors start it. */
export class Worker {
  readonly child: ChildProcess
  output = ''
  readonly ended: Promise<number | null>

  constructor(stage: string, { env = process.env, args = [], worker = 0, uid }: WorkerOptions = {}) {
    const argv = ['bash', join(stage, 'script.sh'), ...args]
    const [program = '', ...rest] =
      uid === undefined ? argv : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...argv]
    this.child = spawn(program, rest, {
      cwd: stage,
      // What a worker leaves behind when it is killed goes away with the test's folder.
      env: { TMPDIR: dirname(stage), ...toolEnvironment(env), ...FAST, WORKER: String(worker) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString('latin1')
    }
    this.child.stdout?.on('data', take)
    this.child.stderr?.on('data', take)
    this.ended = new Promise((resolve) => this.child.once('close', resolve))
  }

  get pid(): number {
    return this.child.pid ?? 0
  }
}

/** Runs one worker to its end. */
export async function work(
  stage: string,
  options?: WorkerOptions,
): Promise<{ code: number | null; output: string }> {
  const worker = new Worker(stage, options)
  return { code: await worker.ended, output: worker.output }
}

/** `result` of every verdict of a shard, by attempt; `open` where an attempt has none. */
export async function verdicts(stage: string, shard: string): Promise<readonly string[]> {
  const folder = join(stage, 'work', shard)
  const names = await readdir(folder)
  const attempts = names.filter((name) => name.endsWith('.claim')).length
  return Promise.all(
    Array.from({ length: attempts }, async (_, index) => {
      if (!names.includes(`${index + 1}.end`)) return 'open'
      return (await verdict(stage, shard, index + 1))['result'] ?? 'torn'
    }),
  )
}

/** The lines of one verdict by their first word. */
export async function verdict(
  stage: string,
  shard: string,
  attempt: number,
): Promise<Record<string, string>> {
  const text = await readFile(join(stage, 'work', shard, `${attempt}.end`), 'latin1')
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]),
  )
}

/** `CLASS ./PATH` of what an attempt gave up on, sorted. */
export async function failed(stage: string, shard: string, attempt: number): Promise<readonly string[]> {
  const text = await readFile(join(stage, 'work', shard, `${attempt}.failed`), 'latin1').catch(() => '')
  return text.split('\0').filter(Boolean).sort()
}

export async function log(stage: string, shard: string, attempt: number): Promise<string> {
  return readFile(join(stage, 'work', shard, `${attempt}.log`), 'latin1')
}

/** Waits until `check` is true; the test's own time limit ends the wait. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 30))
}
