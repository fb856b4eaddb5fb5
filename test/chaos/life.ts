/** One apply of a scenario, with something that goes wrong in the middle of it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { SOXPLAN } from '../rig/soxplan.ts'

export interface Life {
  readonly pid: number
  /** Both streams. */
  output(): string
  /** 128 + the number of the signal that ended it; undefined: it had to be killed, because it did not end. */
  readonly ended: Promise<number | undefined>
}

/** No apply of so little takes nearly that long, waits for leases and kills included. */
const HUNG_MILLIS = 120_000
const SIGKILLED = 137

export function startLife(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Life {
  const [program, ...first] = SOXPLAN
  const child = spawn(program, [...first, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const closed = once(child, 'close').then((values) => (values[0] as number | null) ?? SIGKILLED)
  const control = new AbortController()
  const hung = sleep(HUNG_MILLIS, undefined, { signal: control.signal }).catch(() => undefined)
  const ended = Promise.race([closed, hung]).then((code) => {
    control.abort()
    if (code === undefined) child.kill('SIGKILL')
    return code
  })
  return { pid: child.pid ?? 0, output: () => output, ended }
}
