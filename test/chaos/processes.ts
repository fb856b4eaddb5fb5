/** The processes of a scenario, and what may happen to them. */

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scenario } from './scenario.ts'
import type { Chance } from './seeded.ts'

interface Found {
  readonly pid: number
  readonly line: string
}

/** Those whose environment or command line names its folder. */
export async function processesIn({ folder }: Scenario): Promise<readonly Found[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [line = '', environment = ''] = await Promise.all(
        ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')),
      )
      const isOurs = line.includes(folder) || environment.includes(`${folder}/`)
      return isOurs ? [{ pid: Number(pid), line: line.replaceAll('\0', ' ') }] : []
    }),
  )
  return found.flat()
}

export const isWorker = (line: string): boolean => /^\S*bash \S*(script\.sh|slurm_script)/.test(line)
export const isTool = (line: string): boolean => /(^|\/)(rsync|rclone) /.test(line)

/** One of those that are meant, or none where there is none. */
export async function someOf(
  scenario: Scenario,
  chance: Chance,
  isMeant: (line: string) => boolean,
): Promise<readonly number[]> {
  const found = (await processesIn(scenario)).filter(({ line }) => isMeant(line))
  const [first, ...rest] = found.map(({ pid }) => pid)
  return first === undefined ? [] : [chance.pick([first, ...rest])]
}

/** Returns how many it was sent to. */
export function signal(pids: readonly number[], name: NodeJS.Signals): number {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch (error) {
      // It may have ended by itself meanwhile.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
  return pids.length
}

export async function freeze(pids: readonly number[], millis: number): Promise<void> {
  signal(pids, 'SIGSTOP')
  await sleep(millis)
  signal(pids, 'SIGCONT')
}

/** Those that are still there after `millis`, a line each. */
export async function leftAfter(scenario: Scenario, millis: number): Promise<readonly string[]> {
  const end = Date.now() + millis
  for (;;) {
    const found = await processesIn(scenario)
    if (found.length === 0 || Date.now() > end)
      return found.map(({ pid, line }) => `still runs: ${pid} ${line}`)
    await sleep(100)
  }
}

/** Ends all of them, frozen ones too. */
export async function endAll(scenario: Scenario): Promise<void> {
  const pids = (await processesIn(scenario)).map(({ pid }) => pid)
  signal(pids, 'SIGKILL')
  signal(pids, 'SIGCONT')
}
