/** The folder that the jobs of `doctor --nodes` answer in: below the state folder, which every node has to see. */

import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ok, type Result } from '../diagnostic.ts'
import { isErrno, isSystemError } from './files.ts'
import { unwritable } from './run-folder.ts'

const PREFIX = '.doctor-'
/** No doctor asks for that long: what is older was left by one that was killed, and its jobs ended at their time limit. */
const LEFT_MILLIS = 24 * 60 * 60 * 1000

export interface JobFolder {
  readonly path: string
  readonly script: string
  /** Where a node's job writes what it prints, and what goes wrong with it. */
  answer(node: string): string
  log(node: string): string
  /** What stands there by now; empty where nothing does. */
  read(file: string): Promise<string>
  /** Leaves the state folder as it was found, there or not. */
  remove(): Promise<void>
}

/** Makes it, with the script and an empty answer per node: a file that was never missed is seen at once over NFS. */
export async function openJobFolder(
  stateDir: string,
  makeScript: (folder: string) => Promise<string>,
  nodes: readonly string[],
): Promise<Result<JobFolder>> {
  try {
    const first = await mkdir(stateDir, { recursive: true, mode: 0o700 })
    const folder = await mkdtemp(path.join(stateDir, PREFIX))
    await sweepBefore(folder, stateDir)
    const job: JobFolder = {
      path: folder,
      script: path.join(folder, 'ask.sh'),
      answer: (node) => path.join(folder, `${node}.answer`),
      log: (node) => path.join(folder, `${node}.log`),
      read: readText,
      remove: () => remove(folder, stateDir, first),
    }
    try {
      await writeFile(job.script, await makeScript(folder), { mode: 0o700 })
      for (const node of nodes) await writeFile(job.answer(node), '', { mode: 0o600 })
    } catch (error) {
      await job.remove()
      throw error
    }
    return ok(job)
  } catch (error) {
    return unwritable(stateDir, error)
  }
}

/** Removes what killed doctors left, by the clock of the file system that has both. */
async function sweepBefore(folder: string, stateDir: string): Promise<void> {
  const { mtimeMs } = await stat(folder)
  for (const name of await readdir(stateDir)) {
    if (!name.startsWith(PREFIX)) continue
    const other = path.join(stateDir, name)
    const { mtimeMs: otherMs } = await stat(other)
    if (mtimeMs - otherMs > LEFT_MILLIS) await rm(other, { recursive: true, force: true })
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isSystemError(error)) return ''
    throw error
  }
}

/** `first`: the topmost folder that had to be made, of which what is empty goes again. */
async function remove(folder: string, stateDir: string, first: string | undefined): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  if (first === undefined) return
  for (let at = stateDir; at.startsWith(first); at = path.dirname(at)) {
    try {
      await rmdir(at)
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return
      throw error
    }
  }
}
