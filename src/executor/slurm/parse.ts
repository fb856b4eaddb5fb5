/** What Slurm's commands print, as data. A state that we do not know is `unknown`: never success, never failure. */

import type { Sighting } from '../../run/executor.ts'

/**
 * The job id that `sbatch --parsable` printed, or undefined. Only the last line of stdout counts, and only as
 * `ID` or `ID;CLUSTER`: sites print banners, and a banner may hold a number of its own.
 */
export function parseSubmitted(stdout: string): string | undefined {
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  return /^(\d+)(;[\w.-]+)?$/.exec(last)?.[1]
}

export const queueFormat = '%F|%K|%T|%r|%j'

export interface QueueRow {
  readonly arrayId: string
  /** `3`, or the range of tasks still pending, such as `0-3%2`. */
  readonly tasks: string
  readonly state: string
  readonly reason: string
  readonly name: string
}

/** Rows of `squeue --noheader --states=all --format='%F|%K|%T|%r|%j'`. The name comes last, because only it is ours. */
export function parseQueue(stdout: string): readonly QueueRow[] {
  return stdout
    .split('\n')
    .filter((line) => line.includes('|'))
    .map((line) => {
      const [arrayId = '', tasks = '', state = '', reason = '', ...name] = line.split('|')
      return { arrayId, tasks, state, reason, name: name.join('|') }
    })
}

type Phase = 'waiting' | 'running' | 'over' | 'unknown'

/** Slurm's job states (squeue(1) of 22.05 to 26.05). What is not here is unknown. */
const phases: Readonly<Record<string, Phase>> = {
  PENDING: 'waiting',
  CONFIGURING: 'waiting',
  REQUEUED: 'waiting',
  REQUEUE_HOLD: 'waiting',
  REQUEUE_FED: 'waiting',
  RESV_DEL_HOLD: 'waiting',
  SPECIAL_EXIT: 'waiting',
  RUNNING: 'running',
  COMPLETING: 'running',
  SUSPENDED: 'running',
  STOPPED: 'running',
  RESIZING: 'running',
  SIGNALING: 'running',
  STAGE_OUT: 'running',
  BOOT_FAIL: 'over',
  CANCELLED: 'over',
  COMPLETED: 'over',
  DEADLINE: 'over',
  FAILED: 'over',
  NODE_FAIL: 'over',
  OUT_OF_MEMORY: 'over',
  PREEMPTED: 'over',
  REVOKED: 'over',
  TIMEOUT: 'over',
}

/** Whether Slurm still has something to do with this row; a state that we do not know counts, to be on the safe side. */
export function isLive(row: QueueRow): boolean {
  return phases[row.state] !== 'over'
}

/** What all rows of one array say together. No row: `gone`, which proves nothing about its work. */
export function sightingOf(rows: readonly QueueRow[]): Sighting {
  const withPhase = rows.map((row) => ({ row, phase: phases[row.state] ?? 'unknown' }))
  const running = withPhase.filter(({ phase }) => phase === 'running').length
  if (running > 0) return { phase: 'running', workers: running }
  if (withPhase.some(({ phase }) => phase === 'unknown')) return { phase: 'unknown' }
  const waiting = withPhase.find(({ phase }) => phase === 'waiting')
  if (waiting === undefined) {
    const ended = new Set(rows.map(({ state }) => state).filter((state) => state !== 'COMPLETED'))
    return { phase: 'gone', ...(ended.size === 0 ? {} : { ended: [...ended].sort() }) }
  }
  if (waiting.row.reason === 'DependencyNeverSatisfied') return { phase: 'blocked' }
  if (waiting.row.reason === 'JobHeldUser') return { phase: 'held' }
  return { phase: 'waiting', reason: waiting.row.reason }
}
