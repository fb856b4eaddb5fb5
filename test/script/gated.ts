/** A stage whose tool waits until the test lets it go, and the processes of a worker on it. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { layStages, local, type Stages } from './stage.ts'

const run = promisify(execFile)

/** A transfer of ten files, and an rclone that waits for a gate before it does its work, writing its pid. */
export async function gated(
  folder: string,
  shards: number,
  before = '',
): Promise<{ stages: Stages; env: NodeJS.ProcessEnv }> {
  const tree = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`f${at}`, `content ${at}`]))
  await writeTree(join(folder, 'from'), tree)
  const ends = { from: local(join(folder, 'from')), to: local(join(folder, 'to')) }
  const stages = await layStages({ ...ends, state: folder, tool: 'rclone', shards })
  const env = await puppet(
    join(folder, 'bin'),
    'rclone',
    `[[ $1 == version ]] && { echo 'rclone v1.60.1'; exit; }
${before}
echo $$ >>'${folder}/pids'
while [[ ! -e '${folder}/gate' ]]; do sleep 0.05; done
PATH=\${PATH#*:} exec rclone "$@"`,
  )
  return { stages, env }
}

export async function toolPids(folder: string): Promise<readonly number[]> {
  const text = await readFile(join(folder, 'pids'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map(Number)
}

/** False for a process that has ended, also while nobody has asked for its exit code yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** The processes of a worker: bash, its guard, and the tool with whatever it started. */
export async function family(pid: number): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const found = [pid]
  for (const one of found)
    found.push(...rows.filter(([, parent]) => parent === one).map(([child = 0]) => child))
  return found
}

/** Signals every process that is still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended between the look and the signal.
    }
  }
}
