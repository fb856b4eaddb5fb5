/** Looks at a run from outside: its journal, its marks, its jobs and whether somebody drives it. Changes nothing. */

import { readGivenUp } from '../edge/failed-names.ts'
import { readJournal } from '../edge/journal.ts'
import { lockHolder } from '../edge/lock.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import type { KnownRun } from '../edge/unfinished.ts'
import { collectUnset } from '../edge/unset-attributes.ts'
import { lookAtAll } from '../executor/drive.ts'
import { stepGraph } from '../graph/dag.ts'
import { stops } from '../run/decide.ts'
import type { Ticket } from '../run/event.ts'
import { isHeldByNode, waitsForRoom } from '../run/executor.ts'
import type { Sighting } from '../run/executor.ts'
import { isAccountedFor } from '../run/progress.ts'
import type { Progress, StepProgress } from '../run/progress.ts'
import { standingOf } from '../run/standing.ts'
import type { Standing } from '../run/standing.ts'
import { toolOf } from '../tools/tools.ts'
import type { StepId } from '../units.ts'
import { NAMES_SHOWN } from '../view/report.ts'
import type { TransferOutcome } from '../view/report.ts'
import { executorFor } from './executor-for.ts'
import { stateDirOfRun } from './find-run.ts'
import type { CommandIo } from './io.ts'
import { outcomesOf } from './outcomes.ts'

export interface SeenRun {
  readonly run: KnownRun
  readonly standing: Standing
  /** Its jobs, by ticket. Empty for a run on one machine. */
  readonly sightings: ReadonlyMap<Ticket, Sighting>
}

/** One squeue at most, and none for a run that is over. */
export async function lookAtRun(run: KnownRun, io: CommandIo): Promise<SeenRun> {
  const { record, state, paths } = run
  const isOpen = state.end === 'open'
  const tickets = isOpen && record.executor === 'slurm' ? [...ticketsOf(state).values()] : []
  const sightings = tickets.length === 0 ? new Map() : await executorFor(record, paths, io).look(tickets)
  const outside = {
    executor: record.executor,
    isDriven: isOpen && (await isDriven(run)),
    sightings: [...sightings.values()],
  }
  return { run, standing: standingOf(state, outside), sightings }
}

/** Only one soxplan works in a state folder: it drives the run whose life began since it took the lock. */
async function isDriven(run: KnownRun): Promise<boolean> {
  const holder = await lockHolder(stateDirOfRun(run))
  if (holder === undefined) return false
  const began = (await readJournal(run.paths.events)).events.findLast(({ kind }) => kind === 'run')
  return began !== undefined && began.at >= holder.since
}

/** How far each step is, by its marks, and what its jobs are doing. */
export async function progressOf(looked: SeenRun): Promise<Progress> {
  const { record, state, paths } = looked.run
  const graph = stepGraph(record.steps)
  const seen = await lookAtAll({
    graph,
    stageFolder: (step) => paths.stage(step),
    bytesUnderWay: (step, logTail) => toolOf(step.tool.name).progress(logTail),
  })
  const steps = new Map<StepId, StepProgress>()
  for (const step of graph.steps) {
    const progress = seen.get(step.id)
    if (progress === undefined) continue
    const at = state.steps.get(step.id)
    const sighting = sightingOf(looked, progress)
    const isStopped = graph.parents(step.id).some((id) => {
      const parent = steps.get(id)
      return parent !== undefined && stops(parent, step)
    })
    const isAccounted = isAccountedFor(progress)
    const ended = at?.at === 'ended' ? at.outcome : isStopped ? 'blocked' : undefined
    const outcome = isAccounted ? 'accounted' : ended
    // What comes next stands behind a worker that Slurm holds, whatever the others have done.
    steps.set(step.id, { ...progress, sighting, outcome: isHeldByNode(sighting) ? undefined : outcome })
  }
  return { steps: [...steps.values()], elapsedMillis: 0 }
}

/** Workers on one machine show by the shards that they have; of a run that nobody works on, nothing is left but its marks. */
function sightingOf({ run, standing, sightings }: SeenRun, progress: StepProgress): Sighting {
  const ticket = ticketsOf(run.state).get(progress.step.id)
  const sighting = ticket === undefined ? undefined : sightings.get(ticket)
  if (sighting !== undefined) return sighting
  if (standing.kind !== 'running' && standing.kind !== 'held') return { phase: 'gone' }
  if (run.record.executor === 'slurm' && run.state.isReleased && ticket === undefined && !isHere(progress))
    return waitsForRoom
  return progress.shardsRunning > 0
    ? { phase: 'running', workers: progress.shardsRunning }
    : { phase: 'waiting', reason: 'Dependency' }
}

/** It never has a job. */
function isHere({ step }: StepProgress): boolean {
  return step.transfer.where === 'login'
}

/** What became of each transfer, as the last lines of an apply tell it. */
export async function outcomesSeen(
  { run }: SeenRun,
  progress: Progress,
): Promise<readonly TransferOutcome[]> {
  const { record, paths } = run
  const givenUp = await readGivenUp(paths, record, progress, NAMES_SHOWN)
  return outcomesOf(record, paths, progress, givenUp, await collectUnset(paths, progress))
}
