/** Before the tests: the built CLI stands in `dist/`, because the tests run what a user runs. */

import { execFile } from 'node:child_process'
import { readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PROJECT } from './project.ts'

const run = promisify(execFile)
const STAMP = join(PROJECT, 'dist', '.built')

/** vitest's global set-up. Builds only where a source is newer than the last build. */
export async function setup(): Promise<void> {
  const sources = await newest(join(PROJECT, 'src'))
  const built = await stat(STAMP).then(
    (entry) => entry.mtimeMs,
    () => 0,
  )
  if (sources <= built) return
  // Types are the business of `npm run check`: a compiler that complains has still written what the tests run.
  await run('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json'], { cwd: PROJECT }).catch(
    (error: unknown) => {
      console.warn(
        `tsc: ${error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)}`,
      )
    },
  )
  await run(process.execPath, ['scripts/copy-worker.js'], { cwd: PROJECT })
  await writeFile(STAMP, '')
  await utimes(STAMP, new Date(), sources / 1000 + 0.001)
}

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const times = await Promise.all(
    entries.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs),
  )
  return Math.max(0, ...times)
}
