/** Plans the shards of one source: from the totals in memory, and where these are too coarse, from its manifest. */

import { kindBytes } from '../inventory/entry.ts'
import { ok, type Result } from '../diagnostic.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import type { ShardPlan } from '../shard/finish.ts'
import { planByTally, planByTotals, startTally } from '../shard/planner.ts'
import type { ShardPolicy } from '../shard/shard.ts'
import { scanManifest } from './manifest-file.ts'

export interface PlanShardsOptions {
  readonly tree: TreeBuilder
  readonly manifestPath: string
  readonly policy: ShardPolicy
  readonly stop?: AbortSignal
}

/**
 * Shards, their balance and the assignment of entries. Reads the manifest once where a directory has to be split,
 * a file outweighs a shard's part, or there are hard links; not at all otherwise. Fails as `scanManifest` does.
 */
export async function planShards(options: PlanShardsOptions): Promise<Result<ShardPlan>> {
  const { tree, manifestPath, policy, stop } = options
  const plan = planByTotals(tree, policy)
  if (plan !== undefined) return ok(plan)
  const tally = startTally(tree, policy)
  const scanned = await scanManifest(
    manifestPath,
    (view) => {
      if (view.kindByte !== kindBytes.directory) tally.add(view, tree.parentRow(view))
    },
    stop === undefined ? {} : { stop },
  )
  return scanned.ok ? ok(planByTally(tree, policy, tally)) : scanned
}
