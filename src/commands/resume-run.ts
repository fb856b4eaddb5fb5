/** Goes on with an unfinished run: follows its jobs if they live, else runs what has no proof yet. */

import type { Diagnostic } from '../diagnostic.ts'
import { askYes } from '../edge/ask.ts'
import { ticketsOf } from '../edge/unfinished.ts'
import type { UnfinishedRun } from '../edge/unfinished.ts'
import { lookAtAll } from '../executor/drive.ts'
import type { Tickets } from '../executor/drive.ts'
import { stepGraph } from '../graph/dag.ts'
import { isAlive } from '../run/executor.ts'
import { isAccountedFor } from '../run/progress.ts'
import type { RunRecord } from '../run/record.ts'
import type { StepId } from '../units.ts'
import { leftText } from '../view/left.ts'
import { ExitCode } from './exit-code.ts'
import { executeRun } from './execute-run.ts'
import { executorFor } from './executor-for.ts'
import type { CommandIo } from './io.ts'
import { note, silentQueue } from './other-runs.ts'

export interface ResumeOptions {
  readonly io: CommandIo
  readonly isSure: boolean
  readonly detach: boolean
  readonly partialSubmit: boolean
  /** Workers on this machine, if they were asked for anew. */
  readonly slots: number | undefined
  /** What else could be done, said behind what is. */
  readonly orElse: string
}

export type ResumeAnswer =
  | { readonly kind: 'ended'; readonly exitCode: number }
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  /** Nothing of it ever ran: a new run is as good and looks at the source again. */
  | { readonly kind: 'forget' }

export async function resumeRun(unfinished: UnfinishedRun, options: ResumeOptions): Promise<ResumeAnswer> {
  const { io } = options
  const { record, state, paths } = unfinished
  const executor = executorFor(record, paths, io)
  const tickets = ticketsOf(state)
  const { detach, partialSubmit } = options
  const asked = { record, paths, io, detach, partialSubmit }
  if (record.executor === 'slurm') {
    const sightings = [...(await executor.look([...tickets.values()])).values()]
    if (io.interrupt.aborted) {
      io.stderr(`Run ${record.run} is left as it is.\n`)
      return { kind: 'ended', exitCode: ExitCode.interrupted }
    }
    if (sightings.some(({ phase }) => phase === 'unknown'))
      return { kind: 'refused', diagnostics: [silentQueue(unfinished)] }
    if (sightings.some(isAlive) && state.isReleased) {
      io.stderr(`Run ${record.run} of plan ${record.plan} is still under way; following it.\n`)
      const unreleased = [...state.unreleased].flatMap((id) => tickets.get(id) ?? [])
      const attached = { tickets, unreleased, waiting: await waitingOf(unfinished, tickets) }
      return { kind: 'ended', exitCode: await executeRun({ ...asked, attached }) }
    }
    // A driver that died between the first sbatch and the release left held jobs, and their ids may not all be known.
    const cancelled = await executor.cancel()
    if (!cancelled.ok) return { kind: 'refused', diagnostics: cancelled.error }
  }
  if (!state.hasRun) {
    await note(unfinished, { kind: 'withdrawn', reason: 'nothing of it was released' }, io)
    return { kind: 'forget' }
  }
  const seen = await marksOf(unfinished)
  const why = state.cancelledBy === undefined ? 'is unfinished' : `was cancelled by ${state.cancelledBy}`
  io.stderr(
    `Run ${record.run} of plan ${record.plan} ${why}; going on with what has no proof yet${options.orElse}.\n${leftText([...seen.values()])}.\n`,
  )
  if (!options.isSure && !(await askYes('Type yes to go on: ', io.stdin, process.stderr, io.interrupt))) {
    io.stderr('Nothing was moved.\n')
    return { kind: 'ended', exitCode: io.interrupt.aborted ? ExitCode.interrupted : ExitCode.usage }
  }
  const again = options.slots === undefined ? record : withSlots(record, options.slots)
  return { kind: 'ended', exitCode: await executeRun({ ...asked, record: again }) }
}

/** What the marks prove of each step. */
function marksOf({ record, paths }: UnfinishedRun): ReturnType<typeof lookAtAll> {
  return lookAtAll({
    graph: stepGraph(record.steps),
    stageFolder: (step) => paths.stage(step),
    bytesUnderWay: () => undefined,
  })
}

/** Steps that a submit limit kept out of the queue, or that whoever drove the run did not come to. */
async function waitingOf(run: UnfinishedRun, tickets: Tickets): Promise<readonly StepId[]> {
  const open = [...(await marksOf(run)).values()].filter((progress) => !isAccountedFor(progress))
  return open.map(({ step }) => step.id).filter((id) => !tickets.has(id))
}

/** Workers pull, so their number may change from one life of a run to the next. */
function withSlots(record: RunRecord, slots: number): RunRecord {
  if (record.executor === 'slurm') return record
  return {
    ...record,
    steps: record.steps.map((step) => ({ ...step, workers: Math.min(slots, step.shards.length) })),
  }
}
