import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { groundsOfLab, noLab } from './ground.ts'
import type { Ground } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']

describe.skipIf(noLab('Confirming on Slurm'))('before anything is released', () => {
  const emptyGround = groundsOfLab({ settings: { MessageTimeout: '3' } })

  const groundOf = async (name: string): Promise<Ground> => {
    const ground = emptyGround(name)
    await ground.tree('src')
    await ground.plan({ transfers: { data: {} } })
    return ground
  }

  test('an sbatch that Slurm took twice: the second array is ended, and the run delivers', async () => {
    const ground = await groundOf('twice')
    const env = await ground.sbatchOnce(1, 'sbatch "$@" >/dev/null')
    expect(await ground.soxplan(apply, env)).toMatchObject({ exitCode: 0 })
    expect(await ground.queue()).toEqual([])
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a controller that crashes right after it took a job and forgets it: nothing runs, and the next apply does all', async () => {
    const ground = await groundOf('forgotten')
    const { ctld } = ground.lab
    // The first is on the controller's disk by then, the second is not.
    const env = await ground.sbatchOnce(2, `sleep 1; sbatch "$@"; kill -9 ${ctld.pid ?? 0}; exit 0`)
    const running = ground.begin(apply, env)
    await ground.lab.until('slurmctld is gone', () => !ctld.running)
    await ctld.start()
    expect(await running.ended).toBe(1)
    expect(running.output()).toMatch(
      /error SX507: Slurm has lost 1 of 2 jobs that it had accepted: \d+ \(sox-\S+-data\.verify\)\n/,
    )
    expect(running.output()).toContain('What had been handed over was taken back; nothing of it has run.')
    expect(await ground.queue()).toEqual([])
    expect(await ground.soxplan(apply)).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })
})
