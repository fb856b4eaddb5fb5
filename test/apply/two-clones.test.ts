import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import type { SoxplanResult } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import { openCase, processesOf, startSoxplan, until, withVariables, type Case, type Running } from './case.ts'
import { applyUntilStuck, stuckRsync } from './stuck.ts'

/** The plan in a folder of its own, as another clone of its repository. */
async function otherClone(at: Case): Promise<(env?: NodeJS.ProcessEnv) => Promise<SoxplanResult>> {
  const clone = join(at.path, 'clone')
  await mkdir(clone)
  await cp(join(at.path, 'plan.yaml'), join(clone, 'plan.yaml'))
  return (env = withVariables({})) =>
    startSoxplan(['apply', 'plan.yaml', '--executor', 'local', '--yes'], { cwd: clone, env }).ended
}

/** One clone is in the middle of its copy, and `apply` is the other one's. */
async function twoClones(
  at: Case,
): Promise<{ readonly running: Running; readonly apply: () => Promise<SoxplanResult> }> {
  await writeTree(at.from, { 'a/one': '1', two: '22' })
  const apply = await otherClone(at)
  return { apply, running: await applyUntilStuck(at, await stuckRsync(at)) }
}

const locksIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('.soxplan-'))

describe('two clones of one plan', () => {
  test('do not write into one destination at once', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const { apply, running } = await twoClones(at)
    const run = await at.run()
    const second = await apply()
    expect(second.exitCode).toBe(1)
    expect(second.stderr).toMatch(
      new RegExp(
        `^error SX615: Another run writes into ${at.to}: ${run.split('/').at(-1) ?? ''}, of \\S+ on \\S+, since \\S+\n`,
        'm',
      ),
    )
    expect(second.stderr).toContain(`Wait for it, or end it with: soxplan cancel ${run}\n`)
    expect(second.stderr).toContain('Nothing was moved.\n')
    await writeFile(join(at.path, 'go'), '')
    expect(await running.ended).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(at.from, at.to)).toEqual([])
    expect(await locksIn(at.path)).toEqual([])
    expect((await apply()).stdout).toContain('Nothing is left to do.')
  })

  test('what a killed one left behind is taken over, and given back', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const { apply, running } = await twoClones(at)
    running.child.kill('SIGKILL')
    await running.ended
    await until(async () => (await processesOf(at.path)).length === 0)
    expect((await locksIn(at.path)).length + (await locksIn(at.to)).length).toBe(1)
    expect(await apply()).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(at.from, at.to)).toEqual([])
    expect(await locksIn(at.path)).toEqual([])
  })

  test('a lock in a source is nobody’s data, and in a mirror no extra file', async () => {
    await using at = await openCase({ tool: 'rsync', mode: 'mirror' })
    const lock = '.soxplan-0123456789abcdef.lock'
    await writeTree(at.from, { one: '1', [`in/${lock}`]: '{}' })
    await writeTree(at.to, { one: '1', [`there/${lock}`]: '{}' })
    const applied = await at.apply()
    expect(applied.stdout).toContain(`in/${lock}: the lock of a soxplan run that writes here`)
    expect(applied).toMatchObject({ exitCode: 0 })
    expect(await locksIn(join(at.to, 'there'))).toEqual([lock])
    expect(await locksIn(join(at.to, 'in'))).toEqual([])
  })
})
