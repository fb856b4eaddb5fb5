/** The wish that a run ends, as a file in its folder: whoever drives the run sees it there, on whatever machine. */

import { readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import { isErrno, writeAtomic } from './files.ts'
import type { RunPaths } from './run-folder.ts'

/** One read of a small file; the driver of a run on Slurm looks at the queue far less often. */
const LOOK_MILLIS = 1000

/** `user on host`, as it stands in the journal. */
export function whoIsHere(): string {
  return `${userName()} on ${os.hostname()}`
}

/** In a container the user's number may have no name. */
function userName(): string {
  try {
    return os.userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? '?'}`
  }
}

/** Leaves the wish, or leaves it again. */
export async function requestCancel({ cancelRequest }: RunPaths, by: string): Promise<void> {
  await writeAtomic(cancelRequest, `${by}\n`)
}

/** Who wants the run to end; undefined: nobody. */
export async function readCancelRequest({ cancelRequest }: RunPaths): Promise<string | undefined> {
  try {
    return (await readFile(cancelRequest, 'utf8')).trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESTALE')) return undefined
    throw error
  }
}

export async function forgetCancelRequest({ cancelRequest }: RunPaths): Promise<void> {
  await rm(cancelRequest, { force: true })
}

export interface CancelWatch {
  /** Fires when somebody wants the run to end. */
  readonly signal: AbortSignal
  close(): void
}

/** Looks for the wish until it is closed. A look that fails says nothing; the next one may. */
export function watchForCancel(paths: RunPaths): CancelWatch {
  const control = new AbortController()
  const timer = setInterval(() => {
    void readCancelRequest(paths).then(
      (by) => {
        if (by !== undefined) control.abort()
      },
      () => undefined,
    )
  }, LOOK_MILLIS)
  timer.unref()
  return {
    signal: control.signal,
    close: () => {
      clearInterval(timer)
    },
  }
}
