/** How many calls of Slurm's commands a driver may make: a store of them, and then a few a minute. */

import type { Call } from './queue.ts'

export interface BucketSize {
  /** Calls at once, after a quiet time. */
  readonly size: number
  /** Until one more is allowed. */
  readonly refillMillis: number
}

/** As a site was seen to limit them with `rl_enable` of Slurm 23.02: forty at once, four a minute (snakemake's Slurm plugin, issue 467). */
export const defaultBucket: BucketSize = { size: 40, refillMillis: 15_000 }

export interface Clock {
  /** Milliseconds, from anywhere. */
  readonly now: () => number
  /** Ends early when `stop` fires. */
  readonly sleep: (milliseconds: number, stop?: AbortSignal) => Promise<void>
}

/**
 * Gives calls that wait for their turn, all of them out of one store. One that `stop` cuts short is made all the same, and
 * says so itself.
 */
export function pacer({ size, refillMillis }: BucketSize, { now, sleep }: Clock): (call: Call) => Call {
  let tokens = size
  let countedAt = now()
  return (call) => async (argv, stop) => {
    for (;;) {
      const at = now()
      tokens = Math.min(size, tokens + (at - countedAt) / refillMillis)
      countedAt = at
      if (tokens >= 1 || stop?.aborted === true) break
      await sleep(Math.ceil((1 - tokens) * refillMillis), stop)
    }
    tokens = Math.max(0, tokens - 1)
    return call(argv, stop)
  }
}
