/** `soxplan plan`: what would move, before anything moves. */

import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { isErrno } from '../edge/files.ts'
import { makeRunFolder, runPaths, stateDirOf } from '../edge/run-folder.ts'
import { planDigest } from '../edge/digest.ts'
import { hasFinished, knownRuns } from '../edge/unfinished.ts'
import type { Plan } from '../plan/plan.ts'
import { renderPreview } from '../view/preview.ts'
import { checkApartFromSources, scriptsFolderTodo, stateFolderTodo, tempFolderTodo } from './apart.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'
import { loadPlan, printDiagnostics } from './load-plan.ts'
import type { LoadedPlan } from './load-plan.ts'
import { lackOfRoom, settleExecutor, settlePlace, workersFor } from './place.ts'
import type { Place, PlaceFlags } from './place.ts'
import { checkConfirmed } from './confirmed.ts'
import { prepare, refusalsOf } from './prepare.ts'
import type { PrepareContext, Prepared } from './prepare.ts'
import { previewOf } from './preview-of.ts'
import { listingProgress } from './listing-progress.ts'
import { writeStageFiles } from './stage-files.ts'

export interface PlanCommandFlags extends PlaceFlags {
  readonly vars: Readonly<Record<string, string>>
  readonly json?: boolean
  readonly scripts?: string
  readonly detailedExitcode?: boolean
  /** Transfers whose deletions are meant. */
  readonly confirm: readonly string[]
}

/** Exit codes: 0, with `--detailed-exitcode` 2 for work to do; 1 what can not be planned; 2 a plan that is wrong. */
export async function planCommand(file: string, flags: PlanCommandFlags, io: CommandIo): Promise<number> {
  const failedCode = flags.detailedExitcode === true ? ExitCode.failed : ExitCode.usage
  const loaded = await loadPlan(file, flags.vars, io)
  if (!loaded.ok) {
    printDiagnostics(loaded.error, file, io)
    return failedCode
  }
  const { plan, warnings } = loaded.value
  const confirmed = checkConfirmed(plan, flags.confirm)
  if (!confirmed.ok) {
    printDiagnostics(confirmed.error, file, io)
    return failedCode
  }
  const executor = await settleExecutor(flags, io)
  if (!executor.ok) {
    printDiagnostics(executor.error, file, io)
    return ExitCode.failed
  }
  const settled = await settlePlace(plan, executor.value, io)
  const apart = settled.ok ? await checkApart(plan, flags, io, settled.value) : settled
  if (!apart.ok) {
    printDiagnostics(apart.error, file, io)
    return ExitCode.failed
  }
  const where = apart.value
  const folder = await openFolder(flags.scripts, io)
  if (!folder.ok) {
    printDiagnostics(folder.error, file, io)
    return ExitCode.usage
  }
  const progress = listingProgress(io)
  try {
    const paths = runPaths(folder.value.path)
    const place = { paths, where, confirmed: confirmed.value, onProgress: progress.show }
    const prepared = await prepareIn(loaded.value, place, flags, io)
    progress.clear()
    if (!prepared.ok) {
      printDiagnostics(prepared.error, file, io)
      return ExitCode.failed
    }
    if (flags.scripts !== undefined) {
      const written = await writeStageFiles(plan, prepared.value, paths, io.interrupt)
      if (!written.ok) {
        printDiagnostics(written.error, file, io)
        return ExitCode.failed
      }
    }
    const full = await lackOfRoom(prepared.value.graph.steps, where, io)
    const said = full === undefined ? warnings : [...warnings, full]
    const preview = previewOf(plan, file, prepared.value, where, said, io.now())
    io.stdout(flags.json === true ? `${JSON.stringify(preview, undefined, 2)}\n` : renderPreview(preview))
    const refusals = refusalsOf(prepared.value)
    if (refusals.length > 0) {
      printDiagnostics(refusals, file, io)
      return ExitCode.failed
    }
    return flags.detailedExitcode === true && preview.steps.length > 0 ? ExitCode.usage : ExitCode.ok
  } catch (error) {
    if (io.interrupt.aborted) return ExitCode.interrupted
    throw error
  } finally {
    progress.clear()
    await folder.value.close()
  }
}

async function prepareIn(
  { plan, text }: LoadedPlan,
  place: Pick<PrepareContext, 'paths' | 'confirmed' | 'onProgress'> & { readonly where: Place },
  flags: PlanCommandFlags,
  io: CommandIo,
): Promise<Result<Prepared>> {
  const { where, ...rest } = place
  const stateDir = stateDirOf(plan, flags.state, io.env, io.cwd)
  return prepare({
    ...rest,
    plan,
    stateDir,
    env: io.env,
    workersOf: workersFor(where, flags),
    deliveredBefore: hasFinished(await knownRuns(stateDir), planDigest(text, flags.vars)),
    interrupt: io.interrupt,
  })
}

/** What `apply` would refuse is refused here, and so is a folder of the preview's own. */
async function checkApart(
  plan: Plan,
  flags: PlanCommandFlags,
  io: CommandIo,
  place: Place,
): Promise<Result<Place>> {
  const stateDir = stateDirOf(plan, flags.state, io.env, io.cwd)
  const state = await checkApartFromSources(plan, stateDir, stateFolderTodo)
  if (!state.ok) return state
  const own = await (flags.scripts === undefined
    ? checkApartFromSources(plan, os.tmpdir(), tempFolderTodo)
    : checkApartFromSources(plan, path.resolve(io.cwd, flags.scripts), scriptsFolderTodo))
  return own.ok ? ok(place) : own
}

interface Folder {
  readonly path: string
  close(): Promise<void>
}

/** Without `--scripts` a plan leaves nothing behind but the names of what a mirror deletes; with it, only a new or empty folder is written to. */
async function openFolder(scripts: string | undefined, io: CommandIo): Promise<Result<Folder>> {
  if (scripts === undefined) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'soxplan-plan-'))
    await makeRunFolder(folder)
    return ok({ path: folder, close: () => rm(folder, { recursive: true, force: true }) })
  }
  const folder = path.resolve(io.cwd, scripts)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if ((await readdir(folder)).length > 0) {
      return failWith(
        'SX604',
        `${folder} is not empty`,
        'Name a new folder with --scripts, so that no older script is mistaken for one of this plan.',
      )
    }
  } catch (error) {
    if (!isErrno(error, 'EEXIST', 'ENOTDIR')) throw error
    return failWith('SX604', `${folder} is not a folder`, 'Name a new folder with --scripts.')
  }
  await makeRunFolder(folder)
  return ok({ path: folder, close: () => Promise.resolve() })
}
