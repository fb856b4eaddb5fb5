import { describe, expect, test } from 'vitest'
import { groundsOfLab, noLab } from '../apply-slurm/ground.ts'
import type { Ground } from '../apply-slurm/ground.ts'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'

describe.skipIf(noLab('The time limit'))('a transfer that takes longer than one job may', () => {
  const groundOf = groundsOfLab()

  /** Shards of twelve seconds each, more than fit into the one minute that its one worker gets. */
  const slow = async (name: string, requeue: boolean): Promise<[Ground, NodeJS.ProcessEnv]> => {
    const ground = groundOf(name)
    await ground.tree('src')
    await ground.plan({ nodes: 1, slurm: { time: '0:01:00', requeue }, transfers: { data: {} } })
    const env = await puppet(
      ground.in('bin'),
      'rsync',
      `[[ $1 == --version ]] || sleep 12\nPATH=\${PATH#*:} exec rsync "$@"`,
      { ...ground.env, SOXPLAN_SHARD_SECONDS: '0.002' },
    )
    return [ground, env]
  }

  const lives = async (ground: Ground): Promise<number> =>
    (await ground.stageFiles(/^data\.copy\/workers\/0\.[^/]*\d$/)).length

  test('its workers ask for another turn, as often as it takes', async () => {
    const [ground, env] = await slow('requeue', true)
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], env)
    expect(await running.ended, running.output()).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect(await lives(ground)).toBeGreaterThan(1)
    expect((await ground.events()).filter(({ kind }) => kind === 'run')).toHaveLength(1)
    expect(Object.values(await ground.verdicts('data.copy')).flat()).not.toContain('failed')
  })

  test('where the plan says `requeue: false`, the apply that watches hands over again', async () => {
    const [ground, env] = await slow('again', false)
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], env)
    expect(await running.ended, running.output()).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect((await ground.events()).filter(({ kind }) => kind === 'run').length).toBeGreaterThan(1)
    expect(running.output()).toContain('Workers were lost (FAILED); handing over again')
  })
})
