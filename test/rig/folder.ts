/** A temp folder that goes away at the end of the block it was made in. */

import { execFile } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface TempFolder extends AsyncDisposable {
  /** Without symlinks on the way, without a closing slash. */
  readonly path: string
}

/** `await using temp = await tempFolder()`. */
export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'soxplan-test-'))
  return { path, [Symbol.asyncDispose]: () => removeTree(path) }
}

/** Removes a tree with whatever names and modes are in it. */
async function removeTree(path: string): Promise<void> {
  // A folder that was made unreadable for a test can not be emptied by its owner before it is readable again.
  await promisify(execFile)('chmod', ['-R', 'u+rwX', path]).catch(() => undefined)
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
}
