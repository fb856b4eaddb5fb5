import { execFile } from 'node:child_process'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../lab/available.ts'
import { tempFolder } from '../rig/folder.ts'
import { PROJECT } from '../rig/project.ts'

/** What is promised for everything together, and what find may take of it: it keeps 100,000 names of a directory at a time. */
const promisedMiB = 400
const findMiB = 50

/** Ten million entries take half a minute on an idle machine. */
const timeout = 600_000

function tsProgram(name: string): readonly string[] {
  return ['--import', 'tsx', join(import.meta.dirname, name)]
}

async function measure<Said>(name: string, args: readonly string[]): Promise<Said & { peakMiB: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [...tsProgram(name), ...args], {
    cwd: PROJECT,
  })
  return JSON.parse(stdout) as Said & { peakMiB: number }
}

describe('ten million files are planned in 400 MiB', () => {
  const files = 10_000_000

  test.each([
    ['in 100,000 directories', 100_000],
    ['all in one directory', 1],
  ])(
    '%s',
    async (_, directories) => {
      await using temp = await tempFolder()
      const args = [temp.path, String(files), String(directories)]
      const said = await measure<{ entries: number; shards: number }>('planning-program.ts', args)
      expect(said.entries).toBe(files + directories)
      expect(said.shards).toBeGreaterThan(100)
      expect(said.peakMiB).toBeLessThanOrEqual(promisedMiB - findMiB)
    },
    timeout,
  )
})

test(
  'what a destination of three million files has too much is found in as little',
  async () => {
    const [files, directories] = [3_000_000, 30_000]
    await using temp = await tempFolder()
    const bin = join(temp.path, 'bin')
    await mkdir(bin)
    await symlink(findProgram('sort') ?? 'sort', join(bin, 'sort'))
    const there = [process.execPath, ...tsProgram('there-program.ts'), String(files), String(directories)]
    await writeFile(join(bin, 'find'), `#!/bin/bash\ncd '${PROJECT}' && exec ${there.join(' ')}\n`)
    await chmod(join(bin, 'find'), 0o755)
    const args = [temp.path, String(files), String(directories), bin]
    const said = await measure<{ entries: number; files: number }>('mirror-program.ts', args)
    expect(said).toMatchObject({ entries: files + directories, files: files / 10 })
    expect(said.peakMiB).toBeLessThanOrEqual(promisedMiB - findMiB)
  },
  timeout,
)
