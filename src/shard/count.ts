/** How many shards a transfer is cut into. */

import type { ShardPolicy } from './shard.ts'

/**
 * Eight a worker: with one node at a third of the speed of the others, eight workers that pull end within 3 % of
 * the ideal; with four shards each it is 38 %, with one 175 % (simulated). More would pay start-up for nothing.
 */
export const defaultShardsPerWorker = 8

/** Each shard starts a tool that opens its connections and walks its list: a minute of work makes that small. */
export const defaultShardSecondsMin = 60

/** Shards of one transfer at most: the planner's memory and the files of the run folder grow with them. */
export const shardsMax = 8192

/**
 * The number of shards for `totalSeconds` of work in `entries` files and symlinks: no more than the workers can
 * use, none cheaper than the policy's minimum, never more than there are entries. A small transfer is one shard.
 */
export function shardCount(totalSeconds: number, entries: number, policy: ShardPolicy): number {
  const wanted = policy.workers * policy.shardsPerWorker
  const worthwhile = policy.shardSecondsMin > 0 ? Math.floor(totalSeconds / policy.shardSecondsMin) : wanted
  return Math.max(1, Math.min(wanted, worthwhile, entries, shardsMax))
}
