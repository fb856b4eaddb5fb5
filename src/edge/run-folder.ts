/** The state folder beside the plan, and the folder of one run in it (DESIGN §6). */

import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import type { Step } from '../graph/step.ts'
import type { Plan } from '../plan/plan.ts'
import type { RunId, TransferName } from '../units.ts'
import { isErrno, isSystemError, systemReason, syncFolder } from './files.ts'

const DRAFT = '.draft-'

/** Paths inside one run folder; a draft has the same ones until it is kept. */
export interface RunPaths {
  readonly folder: string
  readonly plan: string
  readonly planText: string
  readonly events: string
  readonly failedNames: string
  /** Stands there while somebody wants the run to end. */
  readonly cancelRequest: string
  manifest(transfer: TransferName): string
  /** What a mirror is to delete, as `extras.ts` writes it. */
  deletes(transfer: TransferName): string
  stage(step: Pick<Step, 'id'>): string
  script(step: Pick<Step, 'id'>): string
  shards(step: Pick<Step, 'id'>): string
}

export function runPaths(folder: string): RunPaths {
  const stage = (step: Pick<Step, 'id'>): string => path.join(folder, 'stages', step.id)
  return {
    folder,
    plan: path.join(folder, 'plan.json'),
    planText: path.join(folder, 'plan.yaml'),
    events: path.join(folder, 'events.jsonl'),
    failedNames: path.join(folder, 'failed.txt'),
    cancelRequest: path.join(folder, 'cancel'),
    manifest: (transfer) => path.join(folder, 'manifests', `${transfer}.gz`),
    deletes: (transfer) => path.join(folder, 'manifests', `${transfer}.deletes`),
    stage,
    script: (step) => path.join(stage(step), 'script.sh'),
    shards: (step) => path.join(stage(step), 'shards'),
  }
}

/** `--state`, else SOXPLAN_STATE, else the plan's `state:`, else `.soxplan` beside the plan. */
export function stateDirOf(
  plan: Plan,
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string {
  const chosen = flag ?? env['SOXPLAN_STATE']
  return chosen !== undefined && chosen !== ''
    ? path.resolve(cwd, chosen)
    : (plan.stateDir ?? path.join(plan.folder, '.soxplan'))
}

/** Makes the state folder, private and ignored by git, or says why it can not be. */
export async function openStateDir(stateDir: string): Promise<Result<undefined>> {
  try {
    await mkdir(path.join(stateDir, 'runs'), { recursive: true, mode: 0o700 })
    await writeFile(path.join(stateDir, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error
    })
    await access(path.join(stateDir, 'runs'), constants.W_OK)
    return ok(undefined)
  } catch (error) {
    return unwritable(stateDir, error)
  }
}

/** @throws what is no refusal of the file system. */
export function unwritable(stateDir: string, error: unknown): ReturnType<typeof failWith> {
  if (!isSystemError(error)) throw error
  return failWith(
    'SX602',
    `The state folder ${stateDir} can not be written: ${systemReason(error)}`,
    'Name another folder with --state DIR or `state:` in the plan; on Slurm it must be one that all nodes see.',
  )
}

/**
 * `20261122-211934-2a53f9`: date, time, and behind the second dash three hexadecimal digits of milliseconds and three of
 * chance. Sorted by name, runs are sorted by time: the newest of two that began within one second is the newest.
 */
export function newRunId(now: Date): RunId {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  const millis = now.getUTCMilliseconds().toString(16).padStart(3, '0')
  return `${stamp}-${millis}${randomBytes(2).toString('hex').slice(1)}` as RunId
}

/** A run folder that does not count yet: what a crash leaves of it is swept by the next apply. */
export async function createDraft(stateDir: string, run: RunId): Promise<RunPaths> {
  const folder = path.join(stateDir, 'runs', `${DRAFT}${run}`)
  await makeRunFolder(folder)
  return runPaths(folder)
}

export async function makeRunFolder(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'manifests'), { recursive: true, mode: 0o700 })
  await mkdir(path.join(folder, 'stages'), { mode: 0o700 })
}

/** Gives a draft its name; from then on it is a run. */
export async function keepDraft(stateDir: string, run: RunId): Promise<RunPaths> {
  const runs = path.join(stateDir, 'runs')
  const folder = path.join(runs, run)
  await rename(path.join(runs, `${DRAFT}${run}`), folder)
  await syncFolder(runs)
  return runPaths(folder)
}

/** Removes drafts; the caller holds the lock, so none of them is being written. */
export async function sweepDrafts(stateDir: string): Promise<void> {
  const runs = path.join(stateDir, 'runs')
  const drafts = (await readdir(runs)).filter((name) => name.startsWith(DRAFT))
  await Promise.all(drafts.map((name) => rm(path.join(runs, name), { recursive: true, force: true })))
}

/** Makes the folders a stage's workers write to, so that no worker ever needs to, and no Slurm job lacks its log folder. */
export async function makeStageFolder(paths: RunPaths, step: Step): Promise<void> {
  const stage = paths.stage(step)
  for (const name of ['workers', 'logs', 'work'])
    await mkdir(path.join(stage, name), { recursive: true, mode: 0o700 })
  for (const shard of step.shards)
    await mkdir(path.join(stage, 'work', shard.id), { recursive: true, mode: 0o700 })
  const order = step.shards.map(
    (shard) => `${shard.id} ${shard.files + shard.directories + shard.symlinks} ${shard.bytes}\n`,
  )
  await writeFile(path.join(stage, 'order'), order.join(''))
}

/** Runs of a state folder, newest first. */
export async function listRuns(stateDir: string): Promise<readonly RunId[]> {
  try {
    const names = await readdir(path.join(stateDir, 'runs'))
    return names
      .filter((name) => /^\d{8}-\d{6}-[0-9a-f]{6}$/.test(name))
      .sort()
      .reverse() as RunId[]
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The text of a file of ours, or undefined when it is not there. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** True for a path that exists, whatever it is. */
export async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
