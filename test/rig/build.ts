/** Before the tests: the built CLI stands in `dist/`, because the tests run what a user runs. */

import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PROJECT } from './project.ts'

const run = promisify(execFile)

/** vitest's global set-up. Builds only where a source is newer than the last build, which rewrites every file. */
export async function setup(): Promise<void> {
  const built = await stat(join(PROJECT, 'dist', 'cli.js')).then(
    (entry) => entry.mtimeMs,
    () => 0,
  )
  if ((await newest(join(PROJECT, 'src'))) <= built) return
  // Types are the business of `npm run check`.
  await run(process.execPath, ['scripts/build.js'], { cwd: PROJECT })
}

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const times = await Promise.all(
    entries.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs),
  )
  return Math.max(0, ...times)
}
