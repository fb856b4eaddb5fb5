/** Plans the shards of one source: from the totals in memory, and where these are too coarse, from its manifest. */

import { kindBytes } from '../inventory/entry.ts'
import { ok, type Result } from '../diagnostic.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import type { ShardPlan } from '../shard/finish.ts'
import { planByTally, planByTotals, startTally } from '../shard/planner.ts'
import { planByPrefixes } from '../shard/prefixes.ts'
import type { ShardPolicy } from '../shard/shard.ts'
import { Bug } from '../units.ts'
import { scanManifest } from './manifest-file.ts'

export interface PlanShardsOptions {
  readonly tree: TreeBuilder
  readonly manifestPath: string
  readonly policy: ShardPolicy
  /**
   * For a tool that carries whole prefixes: whether what stands directly in a directory can be carried apart from what is
   * below it. Latin1 path.
   */
  readonly opens?: (path: string) => boolean
  readonly stop?: AbortSignal
}

/**
 * Shards, their balance and the assignment of entries. Reads the manifest not at all where the totals of directories
 * suffice; once where a directory has to be split or there are hard links; twice where that turns out uneven, as it
 * may when a directory holds many large files. Fails as `scanManifest` does.
 */
export async function planShards(options: PlanShardsOptions): Promise<Result<ShardPlan>> {
  const { tree, manifestPath, policy, opens, stop } = options
  if (opens !== undefined) return ok(planByPrefixes(tree, policy, opens))
  const byTotals = planByTotals(tree, policy)
  if (byTotals !== undefined) return ok(byTotals)
  for (const fineness of ['chosen', 'finest'] as const) {
    const tally = startTally(tree, policy, fineness)
    const scanned = await scanManifest(
      manifestPath,
      (view) => {
        if (view.kindByte !== kindBytes.directory) tally.add(view, tree.parentRow(view))
      },
      stop === undefined ? {} : { stop },
    )
    if (!scanned.ok) return scanned
    const plan = planByTally(tree, policy, tally)
    if (plan !== undefined) return ok(plan)
  }
  throw new Bug('the finest cut is final')
}
