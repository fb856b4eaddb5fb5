/** The stages of one transfer, in the order in which they run. */

import type { Survey } from '../edge/survey.ts'
import type { PlannedStage } from '../graph/build.ts'
import type { StageKind } from '../graph/step.ts'
import type { Transfer } from '../plan/plan.ts'
import { costOf, costModel } from '../shard/cost.ts'
import type { Shard } from '../shard/shard.ts'
import { touchedDirectories } from '../shard/touched.ts'
import type { ProofKind } from '../tools/proof.ts'
import { deletesShard, type Deletes } from './deletes.ts'
import type { PlannedWork } from './prepare.ts'

/**
 * Every stage goes shard by shard as the copy was cut, but for those in which one worker deletes, or walks the directories.
 * Where nothing is to be copied there is nothing to prove either.
 */
export function stagesOf(
  transfer: Transfer,
  proof: ProofKind,
  survey: Survey,
  work: PlannedWork,
  deletes: Deletes | undefined,
): readonly PlannedStage[] {
  const { plan, fixup } = work
  const { shards, balance } = plan
  const byShard = (stage: StageKind): PlannedStage => ({ stage, shards, balance })
  const copies = fixup === undefined || copiesAnything(survey)
  return [
    ...(copies ? [byShard('copy')] : []),
    ...(fixup === undefined ? [] : [{ ...byShard('fixup'), ...within(fixup.workersMax) }]),
    ...(copies && proof !== 'none' ? [byShard('verify')] : []),
    ...(deletes?.kind === 'planned' ? [ofOneShard('prune', deletesShard(deletes))] : []),
    ...(hasDirectoryStage(transfer, survey)
      ? [ofOneShard('directories', directoriesShard(survey, work, deletes?.kind === 'planned'))]
      : []),
  ]
}

function within(workersMax: number | undefined): Pick<PlannedStage, 'workersMax'> {
  return workersMax === undefined ? {} : { workersMax }
}

function ofOneShard(stage: StageKind, shard: Shard): PlannedStage {
  const { costSeconds } = shard
  return { stage, shards: [shard], balance: { meanSeconds: costSeconds, maxSeconds: costSeconds, ratio: 1 } }
}

/** False where all that is left to do is to set attributes. */
export function copiesAnything({ tallies }: Survey): boolean {
  return [tallies.new, tallies.changed, tallies.check].some(
    ({ files, directories, symlinks }) => files + directories + symlinks > 0,
  )
}

/** A single file has no directories of its own, and hard links are no attribute of any. */
function hasDirectoryStage({ fixup }: Transfer, { sourceKind }: Survey): boolean {
  return sourceKind === 'directory' && fixup?.preserve.some((one) => one !== 'hardlinks') === true
}

/** What is deleted may have stood in any directory. */
function directoriesShard({ tree }: Survey, { rates }: PlannedWork, deletes: boolean): Shard {
  // The destination itself is one of them.
  const directories = touchedDirectories(tree, deletes).length + 1
  return {
    id: '00001',
    files: 0,
    directories,
    symlinks: 0,
    bytes: 0,
    costSeconds: costOf(costModel(rates), 0, directories),
    units: 1,
    hasHardLinks: false,
  }
}
