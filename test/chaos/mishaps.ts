/** What goes wrong wherever soxplan runs: its own processes are killed, frozen or told to end, and a second one comes along. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runSoxplan } from '../rig/soxplan.ts'
import { freeze, isTool, isWorker, processesIn, signal, someOf } from './processes.ts'
import type { Scenario } from './scenario.ts'
import type { Mishaps } from './world.ts'

const SHORTLY_MILLIS = 700

/** `frozenMillis` outlasts a lease. */
export function commonMishaps(apply: readonly string[], frozenMillis: number): Mishaps {
  return {
    nothing: () => undefined,
    'the driver is killed': (_, __, life) => signal([life.pid], 'SIGKILL'),
    'Ctrl-C': (_, __, life) => signal([life.pid], 'SIGINT'),
    TERM: (_, __, life) => signal([life.pid], 'SIGTERM'),
    'a worker is killed': async (scenario, chance) =>
      signal(await someOf(scenario, chance, isWorker), 'SIGKILL'),
    'a tool is killed': async (scenario, chance) => signal(await someOf(scenario, chance, isTool), 'SIGKILL'),
    'a worker is frozen beyond its lease': async (scenario, chance) =>
      freeze(await someOf(scenario, chance, isWorker), frozenMillis),
    'everything but the driver is frozen for a while': async (scenario, _, life) => {
      const others = (await processesIn(scenario)).filter(({ pid }) => pid !== life.pid)
      await freeze(
        others.map(({ pid }) => pid),
        SHORTLY_MILLIS,
      )
    },
    'a second apply': async ({ folder, env }) => {
      await runSoxplan(apply, { cwd: folder, env })
    },
    'a cancel': cancelNewest,
  }
}

async function cancelNewest({ folder, env }: Scenario): Promise<void> {
  const runs = await readdir(join(folder, '.soxplan', 'runs')).catch(() => [])
  const newest = runs
    .filter((name) => !name.startsWith('.'))
    .sort()
    .at(-1)
  if (newest !== undefined) await runSoxplan(['cancel', newest, '--yes'], { cwd: folder, env })
}
