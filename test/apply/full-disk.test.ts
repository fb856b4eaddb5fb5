import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { isThere, named, openCase, processesOf, realProgram, TOOLS, until, withVariables } from './case.ts'

const run = promisify(execFile)

/** A small disk of its own; only root may mount one. */
async function withSmallDisk(folder: string, body: () => Promise<void>): Promise<void> {
  await mkdir(folder, { recursive: true })
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder])
  try {
    await body()
  } finally {
    await run('umount', ['-l', folder])
  }
}

const isMounter = process.getuid?.() === 0 && (await canMount())

async function canMount(): Promise<boolean> {
  return run('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).then(
    () => true,
    () => false,
  )
}

describe.runIf(isMounter)('a full disk', () => {
  test.each(TOOLS)('at the destination: named by %s, delivered after room was made', async (tool) => {
    await using at = await openCase({ tool, retries: { attempts: 1 } })
    const names = Array.from({ length: 8 }, (_, index) => `f${index}`)
    await writeTree(at.from, Object.fromEntries(names.map((name) => [name, Buffer.alloc(400_000, name)])))
    await withSmallDisk(at.to, async () => {
      const { exitCode, stdout } = await at.apply()
      expect(exitCode).toBe(1)
      expect(named(stdout).length).toBeGreaterThan(2)
      for (const line of named(stdout))
        expect(line).toMatch(/^f\d: did not fit on the destination; free some space, then apply again$/)
      await run('mount', ['-o', 'remount,size=20m', at.to])
      expect((await at.apply()).exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })
  })

  test('under the state folder: said with what to do, and no worker is left', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { a: 'a' })
    const disk = join(at.path, 'disk')
    await withSmallDisk(disk, async () => {
      await writeFile(join(disk, 'fill'), Buffer.alloc(2 ** 21)).catch(() => undefined)
      const { exitCode, stderr } = await at.apply(['--state', join(disk, 'state')])
      expect(exitCode).toBe(1)
      expect(stderr).toMatch(/^error SX60[23]: .*no space left on device/m)
      expect(stderr).toMatch(/--state DIR/)
      await rm(join(disk, 'fill'))
      expect((await at.apply(['--state', join(disk, 'state')])).exitCode).toBe(0)
    })
  })

  test('under the state folder while workers run: nothing is lost but time', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`)
    await writeTree(at.from, Object.fromEntries(names.map((name) => [name, name])))
    const disk = join(at.path, 'disk')
    await withSmallDisk(disk, async () => {
      const fill = `dd if=/dev/zero of=${disk}/fill bs=4k 2>/dev/null; touch ${at.path}/full`
      const real = await realProgram('rsync')
      const script = `[[ $1 == --version ]] || { [[ -e ${at.path}/full ]] || { ${fill}; }; }\nexec ${real} "$@"`
      const more = withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' })
      const env = await puppet(join(at.path, 'bin'), 'rsync', script, more)
      const running = at.start(['--state', join(disk, 'state')], { env })
      await until(() => isThere(join(at.path, 'full')))
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await rm(join(disk, 'fill'))
      const { exitCode, stderr } = await running.ended
      expect(stderr).not.toMatch(/at \S+ \(?node:|SX000/)
      // The driver may have found its own journal on the full disk; then the next apply goes on.
      if (exitCode !== 0) {
        expect(stderr).toMatch(/^error SX603: .*no space left on device/m)
        expect(stderr).toContain('look at the state folder: .soxplan beside the plan, or what --state DIR')
        await until(async () => (await processesOf(at.path)).length === 0)
        expect((await at.apply(['--state', join(disk, 'state')], { env })).exitCode).toBe(0)
      }
      expect(await compareTrees(at.from, at.to)).toEqual([])
    })
  })
})
