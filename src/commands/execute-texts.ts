/** What a run says of itself on its way. */

import type { HandedOver, Tickets } from '../executor/drive.ts'
import { closerOf } from '../executor/slurm/directives.ts'
import type { StepGraph } from '../graph/dag.ts'
import type { Step } from '../graph/step.ts'
import { isAccountedFor, isClean } from '../run/progress.ts'
import type { StepProgress } from '../run/progress.ts'
import type { RunRecord } from '../run/record.ts'
import type { StepId } from '../units.ts'

/** Job ids on the line that names them. */
const JOBS_SHOWN = 8

export const takenBack = 'What had been handed over was taken back; nothing of it has run.\n'
export const notTakenBack =
  'Not all that had been handed over could be taken back. It is held and starts nothing; the next apply ends it.\n'

/** How a run that was ended comes back. */
export function goesOnText({ run }: RunRecord): string {
  return `What is proven is kept; \`soxplan resume ${run}\` goes on from there.`
}

/** The ids of the first stages. */
export function jobsText(tickets: Tickets): string {
  const jobs = [...tickets].slice(0, JOBS_SHOWN).map(([step, id]) => `${step} ${id}`)
  const more = tickets.size > JOBS_SHOWN ? ` and ${tickets.size - JOBS_SHOWN} more` : ''
  return jobs.length === 0 ? '' : `Slurm jobs: ${jobs.join(', ')}${more}\n`
}

/** How other jobs wait for the run: for all of it, which the steps are that nothing stands behind, or for one transfer. */
export function behindText({ run }: RunRecord, graph: StepGraph, { tickets, seen }: HandedOver): string {
  const ends = graph.steps.filter(({ id }) => graph.children(id).length === 0)
  const open = ends.filter(({ id }) => !isDelivered(seen.get(id)))
  const jobs = open.flatMap(({ id }) => tickets.get(id) ?? [])
  const all =
    jobs.length === 0 || jobs.length < open.length
      ? ''
      : `What needs all of it: sbatch --dependency=afterok:${jobs.map(closerOf).join(':')} … `
  return `${all}What needs one transfer: sbatch --dependency=afterok:$(soxplan job ${run} TRANSFER) …\n`
}

function isDelivered(progress: StepProgress | undefined): boolean {
  return progress !== undefined && isAccountedFor(progress) && isClean({ ...progress, outcome: 'accounted' })
}

/** `waiting`: stages that did not fit into the queue. */
export function detachedText({ run }: RunRecord, waiting: readonly StepId[]): string {
  const left = `Left to Slurm; run ${run} goes on. The same command comes back to it; \`squeue --me\` shows its jobs.\n`
  return waiting.length === 0
    ? left
    : `${left}Not handed over yet, for want of room in the queue: ${waiting.join(', ')}. \`soxplan resume ${run}\` does it once there is some.\n`
}

/** For who stays. */
export function waitingText(waiting: readonly StepId[]): string {
  return waiting.length === 0
    ? ''
    : `Not all fits into the queue: ${waiting.join(', ')} ${waiting.length === 1 ? 'is' : 'are'} handed over as room comes up. Until then this command has to stay, or come back.\n`
}

/** What is done on this machine before anything is submitted. */
export function hereText(steps: readonly Step[]): string {
  const names = [...new Set(steps.map(({ transfer }) => transfer.name))]
  return `On this machine first, before anything is submitted: ${names.join(', ')}`
}
