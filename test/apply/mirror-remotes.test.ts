/** Mirrors to remotes that lead to folders: a disk behind rclone shows what rclone makes of every name. */

import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { HOSTILE_NAMES } from '../rig/hostile.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { lastLines, openCase, writePlan, type Case } from './case.ts'

async function plan(at: Case, transfer: object, more = ''): Promise<void> {
  const config = join(at.path, 'rclone.conf')
  await writeFile(config, `[near]\ntype = local\n${more}`)
  await writePlan(at.path, {
    endpoints: { near: { type: 'rclone', config } },
    transfers: { data: { mode: 'mirror', maxDelete: '100%', ...transfer } },
  })
}

/** Those that rclone can speak of. */
const names = HOSTILE_NAMES.filter((name) => typeof name === 'string')

describe('a mirror to a remote of rclone', () => {
  test('every name goes, half of them and none of the other half', async () => {
    await using at = await openCase()
    await plan(at, { from: at.from, to: `near:${at.to}` })
    const fileOf = (path: string): TreeEntry => ({ kind: 'file', path, content: path })
    const [kept, gone] = [0, 1].map((half) => names.filter((_, index) => index % 2 === half))
    await writeTree(at.from, kept?.map(fileOf) ?? [])
    expect((await at.apply()).exitCode).toBe(0)
    await writeTree(at.to, [
      ...(gone?.map(fileOf) ?? []),
      ...names.map((name) => fileOf(`d/${name}`)),
      { kind: 'directory', path: 'empty' },
    ])
    const applied = await at.apply()
    const count = names.length + (gone?.length ?? 0)
    expect(applied.stdout).toContain(`data, to delete in near:${at.to}: ${count} files (`)
    expect(applied.exitCode).toBe(0)
    // A remote holds no directories: those that rclone shows there stay.
    expect(await compareTrees(at.from, at.to)).toEqual(['extra: "d"', 'extra: "empty"'])
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('that takes upper and lower case for one is refused', async () => {
    await using at = await openCase()
    await plan(at, { from: at.from, to: `near:${at.to}` }, 'case_insensitive = true\n')
    await writeTree(at.from, { Name: 'n' })
    await mkdir(at.to)
    await writeTree(at.to, { name: 'n' })
    const refused = await at.apply()
    expect(refused.stderr).toContain(
      [
        `error SX358: the destination near:${at.to} shows names otherwise than it takes them`,
        '  It takes upper and lower case for one, so that a file that looks too much may be one of the source.',
        '  Write `mode: copy`, and delete by hand.',
      ].join('\n'),
    )
    expect(refused.exitCode).toBe(1)
    expect(await readdir(at.to)).toEqual(['name'])
  })
})
