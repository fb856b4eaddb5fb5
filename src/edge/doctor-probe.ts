/** Asks the shell's own questions about a machine: in a process of their own, because a dead file system answers nobody. */

import { readFile } from 'node:fs/promises'
import type { Argv } from './process.ts'
import { run } from './process.ts'
import { millis } from '../units.ts'

/** `NAME VALUE` lines of an answer. */
export type Facts = ReadonlyMap<string, string>

export interface ProbeContext {
  /** Text of `script/probe.sh`. */
  readonly probe: string
  readonly env: Readonly<Record<string, string>>
  /** How a number of bytes is shown. */
  readonly bytesText: (count: number) => string
}

/** The signal of the check ends a call much earlier. */
const PROBE_TIMEOUT = millis(600_000)

/** Beside the compiled program, as the parts of the worker script are. */
export function readProbe(): Promise<string> {
  return readFile(new URL('../script/probe.sh', import.meta.url), 'utf8')
}

/** The argv that asks `probe_NAME ARG…`, here or behind the words that lead to another machine. */
export function probeArgv(probe: string, name: string, ...args: readonly string[]): Argv {
  return ['bash', '-c', `${probe}\n"probe_$1" "\${@:2}"`, 'soxplan-probe', name, ...args]
}

/** Undefined where there is no bash that could be asked, or none that ends well. */
export async function askProbe(
  { probe, env }: ProbeContext,
  signal: AbortSignal,
  name: string,
  ...args: readonly string[]
): Promise<Facts | undefined> {
  const answer = await run(probeArgv(probe, name, ...args), {
    timeoutMillis: PROBE_TIMEOUT,
    env,
    stop: signal,
    ownGroup: true,
  })
  return answer.ok ? readFacts(answer.value.stdout) : undefined
}

/** The same, without waiting for a process that can not be ended: undefined once the signal fires. */
export function askProbeWithin(
  context: ProbeContext,
  signal: AbortSignal,
  name: string,
  ...args: readonly string[]
): Promise<Facts | undefined> {
  const silence = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(undefined)
    })
    if (signal.aborted) resolve(undefined)
  })
  return Promise.race([askProbe(context, signal, name, ...args), silence])
}

export function readFacts(stdout: string): Facts {
  return new Map(
    stdout.split('\n').flatMap((line) => {
      const [, name, value] = /^([a-z]+)(?: (.*))?$/.exec(line) ?? []
      return name === undefined ? [] : [[name, value ?? ''] as const]
    }),
  )
}
