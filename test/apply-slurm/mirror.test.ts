import { rm } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { groundsOfLab, noLab } from './ground.ts'

describe.skipIf(noLab('A mirror on Slurm'))('a mirror on Slurm', () => {
  const groundOf = groundsOfLab()

  test('deletes in one job of one task with resources of its own, behind the proof', async () => {
    const ground = groundOf('mirror')
    await ground.tree('src')
    await ground.tree('data', { 'big/one': 'stale', 'old/x': 'x', 'old/y': 'y' })
    await ground.plan({
      slurm: { cpus: 64, memory: '1G', time: '0:30:00' },
      transfers: { data: { mode: 'mirror', maxDelete: '100%', slurm: { prune: { cpus: 1 } } } },
    })
    const sbatch = await ground.lab.shim('sbatch', {})
    const applied = await ground.soxplan(['apply', 'plan.yaml', '--yes'], {
      ...ground.env,
      PATH: sbatch.env['PATH'],
    })
    expect(applied.stderr).not.toContain('error')
    expect(applied.stdout).toContain('; 3 (2 B) deleted')
    expect(applied.exitCode).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'), { mtimes: true })).toEqual([])
    const calls = await sbatch.calls()
    await sbatch.remove()
    const tickets = await ground.tickets()
    const prune = calls.at(-1) ?? []
    expect(prune).toContain(`--dependency=afterok:${tickets['data.verify']}_0`)
    expect(prune).toContain('--array=0-0')
    expect(prune).toContain('--cpus-per-task=1')
    expect(await ground.verdicts('data.prune')).toEqual({ '00001': ['done'] })
    expect(await ground.queue()).toEqual([])
  })

  test('deletes nothing behind a name that failed, and the run is over', async () => {
    const ground = groundOf('failed')
    await ground.tree('src', { a: 'a', b: 'b' })
    await ground.tree('data', { old: 'o' })
    await ground.plan({
      transfers: { data: { mode: 'mirror', maxDelete: '100%', tool: 'rsync', retries: { attempts: 1 } } },
    })
    const { env, open } = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], env)
    while (!running.output().includes('Slurm jobs: ')) await new Promise((resolve) => setTimeout(resolve, 50))
    await rm(ground.in('src', 'b'))
    await open()
    expect(await running.ended).toBe(1)
    expect(running.output()).toContain(
      '  nothing was deleted, because not all else was delivered and proven\n',
    )
    expect([...(await listTree(ground.in('data'))).keys()].sort()).toEqual(['a', 'old'])
    expect(await ground.verdicts('data.prune')).toEqual({})
    expect(await ground.queue()).toEqual([])
  })
})
