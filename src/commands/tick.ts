/** How long a driver waits between two looks at what it drives. */

import { defaultBucket } from '../executor/slurm/bucket.ts'
import type { BucketSize } from '../executor/slurm/bucket.ts'
import type { ExecutorKind } from '../run/event.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A look comes after each twentieth of the time that has passed, within these bounds: soon in a small run. */
interface TickBounds {
  readonly minMillis: number
  readonly maxMillis: number
}
const TICK_PART = 1 / 20
/** A look at local marks costs a few file reads. */
const localTick: TickBounds = { minMillis: 100, maxMillis: 500 }
/** squeue's manual asks scripts not to loop: once a minute after twenty minutes, in all fewer than one every ten seconds. */
const slurmTick: TickBounds = { minMillis: 3000, maxMillis: 60_000 }

/** Jobs that end make room; how long they take nobody knows. */
const ROOM_MILLIS = 60_000

/** Tests do not wait ten seconds between two looks at a queue of their own. */
function askedMillis(env: Environment): number | undefined {
  const asked = Number(env['SOXPLAN_TICK_MILLIS'] ?? NaN)
  return asked > 0 ? asked : undefined
}

/** Until room in a full queue is looked for again. */
export function roomMillisOf(env: Environment): number {
  return askedMillis(env) ?? ROOM_MILLIS
}

/** How many calls of Slurm's commands there may be; undefined where looks come as often as somebody asked. */
export function bucketOf(env: Environment): BucketSize | undefined {
  return askedMillis(env) === undefined ? defaultBucket : undefined
}

/** Milliseconds until the next look, for a run that has been followed for so many. */
export function tickOf(executor: ExecutorKind, env: Environment): (elapsedMillis: number) => number {
  const asked = askedMillis(env)
  if (executor === 'slurm' && asked !== undefined) return () => asked
  const { minMillis, maxMillis } = executor === 'local' ? localTick : slurmTick
  return (elapsedMillis) => Math.max(minMillis, Math.min(maxMillis, elapsedMillis * TICK_PART))
}

/** Resolves after so long, or as soon as `interrupt` fires or `subscribe` calls its listener. */
export function pause(
  milliseconds: number,
  interrupt?: AbortSignal,
  subscribe?: (listener: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve) => {
    if (interrupt?.aborted === true) {
      resolve()
      return
    }
    const wake = (): void => {
      clearTimeout(timer)
      interrupt?.removeEventListener('abort', wake)
      unsubscribe?.()
      resolve()
    }
    const timer = setTimeout(wake, milliseconds)
    interrupt?.addEventListener('abort', wake)
    const unsubscribe = subscribe?.(wake)
  })
}
