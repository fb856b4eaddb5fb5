/** One daemon of a lab: a child process that can be frozen, killed and started again. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from './available.ts'
import { waitUntil } from './command.ts'

export interface DaemonSpec {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Its standard output and error, appended to over restarts. */
  readonly log: string
  /** Resolves once the daemon answers; called after every start. */
  readonly ready: () => Promise<void>
}

const READY_TIMEOUT_MILLIS = 30_000

/**
 * A daemon of the lab in `folder`, with `name`.log in its folder `log`. `answering` is asked again and again after every
 * start until it says yes, or until the daemon has ended.
 */
export function daemonOf(
  folder: string,
  env: NodeJS.ProcessEnv,
  name: string,
  program: string,
  args: readonly string[],
  answering: () => Promise<boolean>,
): Daemon {
  const started: Daemon = new Daemon({
    name,
    program: program.includes('/') ? program : (findProgram(program) ?? program),
    args,
    env: { ...env, SOXPLAN_LAB: folder },
    cwd: folder,
    log: join(folder, 'log', `${name}.log`),
    ready: () =>
      waitUntil(
        `${name} answers`,
        async () => {
          if (!started.running) throw new Error(`${name} ended while it started\n${await started.logTail()}`)
          return answering()
        },
        READY_TIMEOUT_MILLIS,
        () => started.logTail(),
      ),
  })
  return started
}

export class Daemon {
  readonly #spec: DaemonSpec
  #child: ChildProcess | undefined

  constructor(spec: DaemonSpec) {
    this.#spec = spec
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined
  }

  get running(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  /** Starts it where it is not running, without waiting for an answer. */
  launch(): void {
    if (this.running) return
    const { program, args, env, cwd, log } = this.#spec
    const output = openSync(log, 'a')
    // A process group of its own: Ctrl-C in a terminal must not reach it before the reaper does its work.
    this.#child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', output, output] })
    this.#child.unref()
    closeSync(output)
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    this.launch()
    await this.#spec.ready()
  }

  /** Ends it as an administrator would (SIGTERM), and waits. Running steps of a slurmd live on. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** SIGKILL, and waits. The steps of a slurmd live on without it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** It keeps its port and its connections but answers nothing. */
  freeze(): void {
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  /** The last lines of its log, for a message about a test that waited in vain. */
  async logTail(lines = 15): Promise<string> {
    const text = await readFile(this.#spec.log, 'utf8').catch(() => '')
    return `--- ${this.#spec.name}\n${text.trimEnd().split('\n').slice(-lines).join('\n')}`
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.kill(signal) !== true) throw new Error(`${this.#spec.name} is not running`)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.running) return
    child.ref()
    const exited = once(child, 'exit')
    this.#signal(signal)
    await exited
  }
}
