/** `soxplan apply`: plans, asks, hands over, follows, and says what was delivered and how it is proven. */

import { writeFile } from 'node:fs/promises'
import type { Diagnostic } from '../diagnostic.ts'
import { askYes } from '../edge/ask.ts'
import { planDigest } from '../edge/digest.ts'
import { writeAtomic } from '../edge/files.ts'
import {
  createDraft,
  keepDraft,
  newRunId,
  openStateDir,
  stateDirOf,
  sweepDrafts,
} from '../edge/run-folder.ts'
import type { RunPaths } from '../edge/run-folder.ts'
import { hasFinished, knownRuns, unfinishedOf } from '../edge/unfinished.ts'
import type { UnfinishedRun } from '../edge/unfinished.ts'
import type { ExecutorKind } from '../run/event.ts'
import { recordVersion } from '../run/record.ts'
import type { RunRecord } from '../run/record.ts'
import type { Plan } from '../plan/plan.ts'
import { renderPreview } from '../view/preview.ts'
import { questionText } from '../view/preview-deletes.ts'
import { ExitCode } from './exit-code.ts'
import { warnOfDamage } from './find-run.ts'
import type { CommandIo } from './io.ts'
import { listingProgress } from './listing-progress.ts'
import { loadPlan, printDiagnostics } from './load-plan.ts'
import type { LoadedPlan } from './load-plan.ts'
import { reportNothingToDo, transferRecord } from './outcomes.ts'
import { checkNoOtherRun, placesOf, supersede } from './other-runs.ts'
import { lackOfRoom, settleExecutor, settlePlace, workersFor } from './place.ts'
import type { PlaceFlags } from './place.ts'
import { checkConfirmed } from './confirmed.ts'
import { failsInPlan, prepare, refusalsOf } from './prepare.ts'
import type { Prepared } from './prepare.ts'
import { previewOf } from './preview-of.ts'
import { noRoomToLeave } from '../executor/hand-over.ts'
import { executeRun } from './execute-run.ts'
import { noDetach } from './resume.ts'
import { resumeRun } from './resume-run.ts'
import { checkApartFromSources, stateFolderTodo } from './apart.ts'
import { writeStageFiles } from './stage-files.ts'
import { tryNodes } from './try-nodes.ts'
import { withLock } from './with-lock.ts'

export interface ApplyFlags extends PlaceFlags {
  readonly vars: Readonly<Record<string, string>>
  readonly yes?: boolean
  readonly new?: boolean
  readonly detach?: boolean
  /** With `detach`: leave although not all fits into the queue. */
  readonly partialSubmit?: boolean
  /** False: no node is asked first. */
  readonly probe?: boolean
  /** Transfers whose deletions are meant. */
  readonly confirm: readonly string[]
}

interface ApplyContext {
  readonly file: string
  readonly loaded: LoadedPlan
  readonly digest: string
  readonly executor: ExecutorKind
  readonly stateDir: string
  readonly flags: ApplyFlags
  readonly io: CommandIo
}

interface StartContext extends ApplyContext {
  readonly deliveredBefore: boolean
}

export async function applyCommand(file: string, flags: ApplyFlags, io: CommandIo): Promise<number> {
  const refuse = (diagnostics: readonly Diagnostic[], code: number): number => {
    printDiagnostics(diagnostics, file, io)
    return code
  }
  const loaded = await loadPlan(file, flags.vars, io)
  if (!loaded.ok) return refuse(loaded.error, ExitCode.usage)
  const confirmed = checkConfirmed(loaded.value.plan, flags.confirm)
  if (!confirmed.ok) return refuse(confirmed.error, ExitCode.usage)
  if (flags.yes !== true && !io.isTerminal) return refuse([noTerminal], ExitCode.usage)
  const executor = await settleExecutor(flags, io)
  if (!executor.ok) return refuse(executor.error, ExitCode.failed)
  if (flags.detach === true && executor.value === 'local') return refuse([noDetach], ExitCode.usage)
  const stateDir = stateDirOf(loaded.value.plan, flags.state, io.env, io.cwd)
  const apart = await checkApartFromSources(loaded.value.plan, stateDir, stateFolderTodo)
  if (!apart.ok) return refuse(apart.error, ExitCode.failed)
  const opened = await openStateDir(stateDir)
  if (!opened.ok) return refuse(opened.error, ExitCode.failed)
  const applied = await withLock(stateDir, io, async (locked) => {
    await sweepDrafts(stateDir)
    const context: ApplyContext = {
      file,
      loaded: loaded.value,
      digest: planDigest(loaded.value.text, flags.vars),
      executor: executor.value,
      stateDir,
      flags,
      io: locked,
    }
    // A draft that is still there afterwards was refused, declined or broken off.
    return resumeOrStart(context).finally(() => sweepDrafts(stateDir))
  })
  return applied.ok ? applied.value : refuse(applied.error, ExitCode.failed)
}

/** An unfinished run of this very plan is gone on with; a new one starts only where no other has jobs. */
async function resumeOrStart(context: ApplyContext): Promise<number> {
  const { stateDir, digest, flags, io, executor, file } = context
  const runs = await knownRuns(stateDir)
  const unfinished = unfinishedOf(runs)
  const ofThisPlan = unfinished.filter((run) => run.record.digest === digest)
  const same = flags.new === true ? undefined : ofThisPlan.find((run) => run.record.executor === executor)
  if (same !== undefined) {
    warnOfDamage(same, io)
    const answer = await resumeRun(same, {
      io,
      isSure: flags.yes === true,
      detach: flags.detach === true,
      partialSubmit: flags.partialSubmit === true,
      slots: flags.slots,
      orElse: ' (--new starts another)',
    })
    if (answer.kind === 'ended') return answer.exitCode
    if (answer.kind === 'refused') {
      printDiagnostics(answer.diagnostics, file, io)
      return ExitCode.failed
    }
  }
  const free = await checkNoOtherRun(
    unfinished.filter((run) => run !== same),
    placesOf(context.loaded.plan),
    io,
  )
  if (io.interrupt.aborted) return ExitCode.interrupted
  if (!free.ok) {
    printDiagnostics(free.error, file, io)
    return ExitCode.failed
  }
  return start({ ...context, deliveredBefore: hasFinished(runs, digest) }, ofThisPlan)
}

/** @param leftBehind unfinished runs of the same plan, which nobody goes on with once the new one stands */
async function start(context: StartContext, leftBehind: readonly UnfinishedRun[]): Promise<number> {
  const { flags, io } = context
  const agreed = await agree(context).catch((error: unknown) => {
    if (!io.interrupt.aborted) throw error
    io.stderr('Nothing was moved.\n')
    return ExitCode.interrupted
  })
  if (typeof agreed === 'number') return agreed
  await supersede(leftBehind, io)
  io.stderr(`Run ${agreed.record.run} in ${agreed.paths.folder}\n`)
  return executeRun({
    ...agreed,
    io,
    detach: flags.detach === true,
    partialSubmit: flags.partialSubmit === true,
  })
}

/** Plans and asks. The run to start, or the exit code where there is none. Throws on an interrupt while it plans. */
async function agree(context: StartContext): Promise<{ record: RunRecord; paths: RunPaths } | number> {
  const { file, loaded, executor, stateDir, flags, io } = context
  const { plan, warnings, text } = loaded
  const place = await settlePlace(plan, executor, io)
  if (!place.ok) {
    printDiagnostics(place.error, file, io)
    return ExitCode.failed
  }
  const run = newRunId(io.now())
  const draft = await createDraft(stateDir, run)
  const progress = listingProgress(io)
  const prepared = await prepare({
    plan,
    env: io.env,
    workersOf: workersFor(place.value, flags),
    paths: draft,
    stateDir,
    confirmed: new Set(flags.confirm),
    deliveredBefore: context.deliveredBefore,
    interrupt: io.interrupt,
    onProgress: progress.show,
  }).finally(progress.clear)
  if (!prepared.ok) {
    printDiagnostics(prepared.error, file, io)
    return ExitCode.failed
  }
  const full = await lackOfRoom(prepared.value.graph.steps, place.value, io)
  const said = full === undefined ? warnings : [...warnings, full]
  const preview = previewOf(plan, file, prepared.value, place.value, said, io.now())
  io.stdout(renderPreview(preview))
  const mustStay = full !== undefined && flags.detach === true && flags.partialSubmit !== true
  const refusals = [...refusalsOf(prepared.value), ...(mustStay ? [noRoomToLeave(full)] : [])]
  if (refusals.length > 0) {
    printDiagnostics(refusals, file, io)
    io.stderr('Nothing was moved.\n')
    return ExitCode.failed
  }
  // With names to report a run of no steps is kept, because `failed.txt` has to stand somewhere.
  const isIdle = prepared.value.graph.steps.length === 0
  if (isIdle && !prepared.value.transfers.some(failsInPlan)) {
    reportNothingToDo(prepared.value, io)
    return ExitCode.ok
  }
  const written = await writeStageFiles(plan, prepared.value, draft, io.interrupt)
  if (!written.ok) {
    printDiagnostics(written.error, file, io)
    return ExitCode.failed
  }
  if (!isIdle && flags.yes !== true) {
    const isAgreed = await askYes(questionText(preview), io.stdin, process.stderr, io.interrupt)
    io.interrupt.throwIfAborted()
    if (!isAgreed) {
      io.stderr('Nothing was moved.\n')
      return ExitCode.usage
    }
  }
  const tried = await tryOn(context, isIdle)
  if (!tried) return ExitCode.failed
  const record = recordOf(context, plan, prepared.value, run)
  await writeFile(draft.planText, text, { mode: 0o600 })
  await writeAtomic(draft.plan, `${JSON.stringify(record)}\n`)
  return { record, paths: await keepDraft(stateDir, run) }
}

/** False: a node lacks something, which was said. Throws on an interrupt. */
async function tryOn(
  { loaded, executor, stateDir, flags, file, io }: StartContext,
  isIdle: boolean,
): Promise<boolean> {
  if (isIdle || flags.probe === false || io.env['SOXPLAN_NO_PROBE'] === '1') return true
  const tried = await tryNodes(loaded.plan, executor, stateDir, io)
  io.interrupt.throwIfAborted()
  printDiagnostics(tried.ok ? tried.value : tried.error, file, io)
  if (!tried.ok) io.stderr('Nothing was moved.\n')
  return tried.ok
}

function recordOf(context: ApplyContext, plan: Plan, prepared: Prepared, run: RunRecord['run']): RunRecord {
  return {
    version: recordVersion,
    run,
    plan: plan.name,
    digest: context.digest,
    executor: context.executor,
    soxplanVersion: context.io.version,
    createdAt: context.io.now().toISOString(),
    environmentPass: plan.environmentPass,
    transfers: prepared.transfers.map(transferRecord),
    steps: prepared.graph.steps,
  }
}

const noTerminal: Diagnostic = {
  code: 'SX001',
  severity: 'error',
  what: 'There is no terminal to ask on',
  todo: 'Look at the preview with `soxplan plan`, then apply with --yes.',
}
