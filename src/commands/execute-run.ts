/** Runs what a run folder holds, on the executor it was planned for, to its end or until the user leaves. */

import { ok } from '../diagnostic.ts'
import { collectFailedNames } from '../edge/failed-names.ts'
import { forgetCancelRequest, readCancelRequest, watchForCancel } from '../edge/cancel-request.ts'
import { collectUnset } from '../edge/unset-attributes.ts'
import { openJournal } from '../edge/journal.ts'
import type { Journal } from '../edge/journal.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { follow } from '../executor/drive.ts'
import type { DriveContext, DriveEnd, HandedOver } from '../executor/drive.ts'
import { submitAll } from '../executor/hand-over.ts'
import { stepGraph } from '../graph/dag.ts'
import type { Step } from '../graph/step.ts'
import { faultsBehindLoss, stopsChildren } from '../run/decide.ts'
import { journalVersion } from '../run/event.ts'
import type { Ticket } from '../run/event.ts'
import type { Executor } from '../run/executor.ts'
import type { StepProgress } from '../run/progress.ts'
import type { RunRecord } from '../run/record.ts'
import { toolOf } from '../tools/tools.ts'
import { createLinePrinter } from '../view/lines.ts'
import { failedCount, NAMES_SHOWN, renderReport } from '../view/report.ts'
import {
  behindText,
  detachedText,
  goesOnText,
  hereText,
  jobsText,
  notTakenBack,
  takenBack,
  waitingText,
} from './execute-texts.ts'
import { executorFor } from './executor-for.ts'
import { ExitCode } from './exit-code.ts'
import { holdDestinations, releaseDestinations } from './hold-destinations.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'
import { outcomesOf } from './outcomes.ts'
import { pause, roomMillisOf, tickOf } from './tick.ts'
import { mayHaveLeftovers, removedText, removeLeftovers } from './tidy-up.ts'

export interface ExecuteContext {
  readonly record: RunRecord
  readonly paths: RunPaths
  readonly io: CommandIo
  readonly detach: boolean
  /** Leave although not all of it fits into the queue. */
  readonly partialSubmit?: boolean
  /** Jobs of the run are alive already: they are followed, and only what did not fit into the queue is submitted. */
  readonly attached?: Pick<HandedOver, 'tickets' | 'waiting'> & {
    /** Jobs that nobody has let go yet, because whoever was about to was killed. */
    readonly unreleased: readonly Ticket[]
  }
}

/** A node that dies takes its workers along; what loses them again and again, with not one shard done, is no accident. */
const FRUITLESS_LIVES_MAX = 3

/** Hands over what is not accounted for and follows it; what is lost to a fault is handed over again. */
export async function executeRun(asked: ExecuteContext): Promise<number> {
  const { record, paths, io: terminal } = asked
  const held = await holdDestinations(record, paths, terminal)
  if (!held.ok) {
    printDiagnostics(held.error, record.plan, terminal)
    terminal.stderr('Nothing was moved.\n')
    return ExitCode.failed
  }
  await forgetCancelRequest(paths)
  const watch = watchForCancel(paths)
  const io = { ...terminal, interrupt: AbortSignal.any([terminal.interrupt, watch.signal]) }
  const context = { ...asked, io }
  const journal = await openJournal(paths.events, io.now)
  // Until it is known how it ends, jobs may go on without us.
  let goesOn = record.executor === 'slurm'
  try {
    const here = context.attached === undefined ? await doHereFirst(context, journal) : undefined
    const code =
      here === undefined ? await driveAll(context, journal) : await conclude(context, journal, here)
    goesOn = code === ExitCode.detached
    return code
  } finally {
    watch.close()
    await journal.close()
    if (!goesOn) await releaseDestinations(record)
  }
}

async function driveAll(context: ExecuteContext, journal: Journal): Promise<number> {
  const { record, paths, io } = context
  const executor = executorFor(record, paths, io)
  try {
    await letGo(context, executor, journal)
    let known: HandedOver | undefined = context.attached && {
      ...context.attached,
      seen: new Map(),
      isAttached: true,
    }
    for (let fruitless = 0, marks = 0; ;) {
      const drive = driveContext(context, executor, journal)
      const handed = known === undefined ? await handOver(record, drive, journal) : ok(known)
      if (!handed.ok) return await conclude(context, journal, handed.error)
      if (record.executor === 'slurm') io.stderr(jobsText(handed.value.tickets))
      if (!context.detach) io.stderr(waitingText(handed.value.waiting))
      if (context.detach) {
        await journal.append({ kind: 'detached' })
        io.stderr(detachedText(record, handed.value.waiting))
        io.stderr(behindText(record, drive.graph, handed.value))
        return ExitCode.detached
      }
      const end = await follow(drive, handed.value)
      const faults = end.kind === 'over' ? faultsBehindLoss(end.progress.steps, drive.graph) : undefined
      const before = marks
      if (end.kind === 'over') marks = end.progress.steps.reduce((sum, step) => sum + step.marks.length, 0)
      fruitless = marks > before ? 0 : fruitless + 1
      if (faults === undefined || fruitless === FRUITLESS_LIVES_MAX || !(await executor.cancel()).ok)
        return await conclude(context, journal, end)
      known = undefined
      io.stderr(`Workers were lost (${faults.join(', ')}); handing over again what has no proof yet.\n`)
    }
  } catch (error) {
    // Nobody would see the workers on this machine any more; jobs on Slurm go on as if the user had left.
    if (executor.kind === 'local') await executor.cancel()
    throw error
  }
}

async function letGo(
  { attached, record, io }: ExecuteContext,
  executor: Executor,
  journal: Journal,
): Promise<void> {
  const held = attached?.unreleased ?? []
  if (held.length === 0) return
  const released = await executor.release(held)
  if (released.ok) await journal.append({ kind: 'released' })
  else printDiagnostics(released.error, record.plan, io)
}

/**
 * The transfers of a run on Slurm that the plan wants on this machine, before anything is submitted. Undefined where
 * the rest may follow; else how the run ends: it was interrupted, or one of them has failed, or there is no rest.
 */
async function doHereFirst(context: ExecuteContext, journal: Journal): Promise<DriveEnd | undefined> {
  const { record, paths, io } = context
  const steps = record.executor === 'slurm' ? record.steps.filter(isHereFirst) : []
  if (steps.length === 0) return undefined
  const part: RunRecord = { ...record, executor: 'local', steps }
  const executor = executorFor(part, paths, io)
  const drive = driveContext({ ...context, record: part }, executor, journal)
  try {
    const handed = await handOver(part, drive, journal)
    if (!handed.ok) return handed.error
    if (handed.value.tickets.size > 0) io.stderr(`${hereText(steps)}\n`)
    const end = await follow(drive, handed.value)
    if (end.kind !== 'over') return end
    const isDelivered = !end.progress.steps.some(stopsChildren)
    return isDelivered && steps.length < record.steps.length ? undefined : withRest(end, record)
  } catch (error) {
    await executor.cancel()
    throw error
  }
}

function isHereFirst({ transfer }: Step): boolean {
  return transfer.where === 'login'
}

/** Nothing of what was to be submitted has started. */
function withRest(end: Extract<DriveEnd, { kind: 'over' }>, record: RunRecord): DriveEnd {
  const done = new Map(end.progress.steps.map((progress) => [progress.step.id, progress]))
  const steps = record.steps.map((step) => done.get(step.id) ?? notStarted(step))
  return { kind: 'over', progress: { ...end.progress, steps } }
}

function notStarted(step: Step): StepProgress {
  return { step, sighting: undefined, outcome: 'blocked', marks: [], shardsRunning: 0, bytesUnderWay: 0 }
}

async function handOver(
  record: RunRecord,
  drive: DriveContext,
  journal: Journal,
): ReturnType<typeof submitAll> {
  await journal.append({
    kind: 'run',
    version: journalVersion,
    run: record.run,
    executor: record.executor,
    steps: record.steps.map(({ id }) => id),
  })
  return submitAll(drive)
}

function driveContext(
  { record, paths, io, detach, partialSubmit }: ExecuteContext,
  executor: Executor,
  journal: Journal,
): DriveContext {
  const printer = createLinePrinter()
  return {
    graph: stepGraph(record.steps),
    executor,
    journal,
    stageFolder: (step) => paths.stage(step),
    bytesUnderWay: (step, logTail) => toolOf(step.tool.name).progress(logTail),
    onProgress: ({ steps, elapsedMillis }) => {
      // What was done here first has had its lines.
      const isShown = (step: Step): boolean => record.executor === 'local' || !isHereFirst(step)
      const shown = { steps: steps.filter(({ step }) => isShown(step)), elapsedMillis }
      for (const line of printer.next(shown)) io.stderr(`${line}\n`)
    },
    tickMillis: tickOf(record.executor, io.env),
    sleep: (milliseconds) => pause(milliseconds, io.interrupt, executor.onStepEnd),
    now: () => io.now().getTime(),
    interrupt: io.interrupt,
    whenFull: !detach ? 'stay' : partialSubmit === true ? 'leave' : 'refuse',
    roomMillis: roomMillisOf(io.env),
    onTrouble: (diagnostics) => {
      printDiagnostics(diagnostics, record.plan, io)
    },
    notify: (line) => {
      io.stderr(`${line}\n`)
    },
    cancelledBy: () => readCancelRequest(paths),
  }
}

async function conclude(context: ExecuteContext, journal: Journal, end: DriveEnd): Promise<number> {
  const { record, paths, io } = context
  switch (end.kind) {
    case 'refused':
      printDiagnostics([...end.diagnostics, ...end.left], record.plan, io)
      io.stderr(end.left.length === 0 ? takenBack : notTakenBack)
      return ExitCode.failed
    case 'interrupted':
      printDiagnostics(end.left, record.plan, io)
      io.stderr(
        end.progress !== undefined
          ? 'Stopped. What is proven is kept; the same command goes on from there.\n'
          : end.left.length === 0
            ? takenBack
            : notTakenBack,
      )
      return ExitCode.interrupted
    case 'cancelled':
      printDiagnostics(end.left, record.plan, io)
      io.stderr(`Run ${record.run} was cancelled by ${end.by}. ${goesOnText(record)}\n`)
      return ExitCode.failed
    case 'detached':
      io.stderr(detachedText(record, end.waiting))
      return ExitCode.detached
    case 'over': {
      const { givenUp, file } = await collectFailedNames(paths, record, end.progress, NAMES_SHOWN)
      const unset = await collectUnset(paths, end.progress)
      const outcomes = outcomesOf(record, paths, end.progress, givenUp, unset)
      const failed = outcomes.reduce((sum, outcome) => sum + failedCount(outcome), 0)
      // Shards without workers are no failure of theirs: the run stays open, and the next apply goes on with them.
      const isOpen = end.progress.steps.some(({ outcome }) => outcome === 'lost')
      if (!isOpen && mayHaveLeftovers(end.progress.steps))
        await tidyUp(context, failed === 0 ? 'nothing' : 'kept parts')
      await journal.append(isOpen ? { kind: 'interrupted' } : { kind: 'finished', failed })
      io.stdout(renderReport(outcomes, file.ok ? file.value : undefined))
      if (!file.ok) printDiagnostics(file.error, record.plan, io)
      return failed === 0 ? ExitCode.ok : ExitCode.failed
    }
  }
}

/** What can not be looked at or removed is a line for the user, and no failure of the transfer. */
async function tidyUp(
  { record, paths, io }: ExecuteContext,
  spares: 'nothing' | 'kept parts',
): Promise<void> {
  const removed = await removeLeftovers(record, paths, spares, io)
  if (removed.ok) io.stderr(removedText(removed.value))
  else if (!io.interrupt.aborted)
    printDiagnostics(
      removed.error.map((diagnostic) => ({ ...diagnostic, severity: 'warning' })),
      record.plan,
      io,
    )
}
