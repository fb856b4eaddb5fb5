/** Keeps other runs out of the folders that a run writes into, as long as anything of it may write (law 13). */

import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { whoIsHere } from '../edge/cancel-request.ts'
import { claimDestination, releaseDestination } from '../edge/destination-lock.ts'
import type { DestinationHolder } from '../edge/destination-lock.ts'
import { isErrno, isThere } from '../edge/files.ts'
import { runPaths } from '../edge/run-folder.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { readRun } from '../edge/unfinished.ts'
import type { RunRecord } from '../run/record.ts'
import type { CommandIo } from './io.ts'
import { lookAtRun } from './look-at-run.ts'

/** Folders of this machine that transfers with work write into. */
function foldersOf({ transfers, steps }: RunRecord): readonly string[] {
  const busy = new Set(steps.map(({ transfer }) => transfer.name))
  const folders = transfers.flatMap(({ name, root }) =>
    busy.has(name) && root.kind === 'local' ? [root.path.replace(/(?!^)\/+$/, '')] : [],
  )
  return [...new Set(folders)]
}

/** Locks all destinations of the run, or none. Fails SX615 with the run that is there already. */
export async function holdDestinations(
  record: RunRecord,
  paths: RunPaths,
  io: CommandIo,
): Promise<Result<undefined>> {
  const me = { run: record.run, folder: paths.folder, who: whoIsHere(), since: io.now().toISOString() }
  for (const folder of foldersOf(record)) {
    const claim = await claimDestination(folder, me, (holder) => isOver(holder, io))
    if (claim.kind === 'ours') continue
    await releaseDestinations(record)
    const { run, who, since, folder: theirs } = claim.holder
    return failWith(
      'SX615',
      `Another run writes into ${folder}: ${run}, of ${who}, since ${since}`,
      `Wait for it, or end it with: soxplan cancel ${theirs}`,
      `Where it is surely over, remove ${claim.file}.`,
    )
  }
  return ok(undefined)
}

/** What of a run is over may be written into by others. */
export async function releaseDestinations(record: RunRecord): Promise<void> {
  for (const folder of foldersOf(record)) await releaseDestination(folder, record.run)
}

/** Nothing of that run writes any more, as far as its folder and the queue tell; what nobody may look at is not over. */
async function isOver({ folder }: DestinationHolder, io: CommandIo): Promise<boolean> {
  const paths = runPaths(folder)
  try {
    if (!(await isThere(paths.plan))) return true
    const run = await readRun(paths)
    if (run === undefined) return false
    const { standing } = await lookAtRun(run, io)
    return !['running', 'held', 'unknown'].includes(standing.kind)
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return false
    throw error
  }
}
