import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { PROJECT } from '../rig/project.ts'
import { tempFolder } from '../rig/folder.ts'

/** What is promised for everything together, and what find may take of it: it keeps 100,000 names of a directory at a time. */
const promisedMiB = 400
const findMiB = 50

const files = 10_000_000

/** Ten million entries take half a minute on an idle machine. */
const timeout = 600_000

describe('ten million files are planned in 400 MiB', () => {
  test.each([
    ['in 100,000 directories', 100_000],
    ['all in one directory', 1],
  ])(
    '%s',
    async (_, directories) => {
      await using temp = await tempFolder()
      const program = join(import.meta.dirname, 'planning-program.ts')
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', program, temp.path, String(files), String(directories)],
        { cwd: PROJECT },
      )
      const said = JSON.parse(stdout) as { entries: number; shards: number; peakMiB: number }
      expect(said.entries).toBe(files + directories)
      expect(said.shards).toBeGreaterThan(100)
      expect(said.peakMiB).toBeLessThanOrEqual(promisedMiB - findMiB)
    },
    timeout,
  )
})
