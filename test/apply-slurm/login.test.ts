import { rm } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { groundsOfLab, noLab, type Ground } from './ground.ts'

/** What sbatch was asked for, by the journal: steps that got a job. */
async function jobs(ground: Ground): Promise<readonly string[]> {
  const events = await ground.events()
  const executors = events.map((_, index) =>
    events.slice(0, index + 1).findLast(({ kind }) => kind === 'run'),
  )
  return events.flatMap((event, index) => {
    const life = executors[index]
    return event.kind === 'submitted' && life?.kind === 'run' && life.executor === 'slurm' ? [event.step] : []
  })
}

async function planned(name: string, groundOf: (name: string) => Ground): Promise<Ground> {
  const ground = groundOf(name)
  await ground.tree('src')
  await ground.tree('small', { a: 'a', 'b c': 'b', 'd/e': 'e' })
  await ground.plan({
    transfers: {
      data: { after: ['code'] },
      apart: { from: 'small' },
      code: { from: 'small', where: 'login', tool: 'rsync' },
      tools: { from: 'small', where: 'login', tool: 'rsync', after: ['code'] },
    },
  })
  return ground
}

describe.skipIf(noLab('where: login'))('where: login', () => {
  const groundOf = groundsOfLab()

  test('runs here first, in order and with progress; what is left is submitted then', async () => {
    const ground = await planned('well', groundOf)
    const preview = await ground.soxplan(['plan', 'plan.yaml'])
    expect(preview.stdout).toMatch(
      /\n {2}code\.copy: 1 shard, 1 worker, on this machine, first\n {2}code\.verify: /,
    )
    expect(preview.stdout).toMatch(/\n {2}data\.copy: \d+ shards, 4 workers, after code\.verify\n {6}--/)
    const { exitCode, stdout, stderr } = await ground.apply()
    expect(stderr).toContain('On this machine first, before anything is submitted: code, tools\n')
    const order = ['code.verify: ', 'tools.verify: ', 'Slurm jobs: ', 'data.verify: '].map((text) =>
      stderr.indexOf(`\n${text}`),
    )
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order).not.toContain(-1)
    expect(stderr.match(/\ncode\.copy: .*, over\n/g)).toHaveLength(1)
    expect(stdout.match(/ delivered, verified by /g)).toHaveLength(4)
    expect(exitCode).toBe(0)
    expect(await jobs(ground)).toEqual(['apart.copy', 'apart.verify', 'data.copy', 'data.verify'])
    expect(await compareTrees(ground.in('small'), ground.in('code'), { mtimes: true })).toEqual([])
    expect(await compareTrees(ground.in('src'), ground.in('data'), { mtimes: true })).toEqual([])
    expect((await ground.apply()).stdout).toContain('Nothing is left to do.')
  })

  test('that fails lets nothing be submitted; once the cause is gone the same command does all', async () => {
    const ground = await planned('badly', groundOf)
    const gate = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], gate.env)
    await ground.lab.until('it has begun', () => running.output().includes('On this machine first'))
    await rm(ground.in('small', 'b c'))
    await gate.open()
    expect(await running.ended).toBe(1)
    expect(running.output()).toContain('b c: was removed from the source after the listing')
    expect(running.output()).toContain('a stage did not start, because something before it failed')
    expect(running.output()).toContain('NOT everything was delivered')
    expect(await jobs(ground)).toEqual([])
    expect(await ground.queue()).toEqual([])
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect(await ground.runs()).toHaveLength(2)
  })

  test('interrupted, it goes on where it was, and then submits the rest', async () => {
    const ground = await planned('stopped', groundOf)
    const gate = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], gate.env)
    await ground.lab.until('it has begun', () => running.output().includes('On this machine first'))
    ground.interrupt(running)
    expect(await running.ended).toBe(130)
    expect(running.output()).toContain(
      'Stopped. What is proven is kept; the same command goes on from there.\n',
    )
    expect(await ground.queue()).toEqual([])
    await gate.open()
    const second = await ground.apply()
    expect(second.stderr).toContain('is unfinished; going on with what has no proof yet')
    expect(second).toMatchObject({ exitCode: 0 })
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a plan with nothing else submits nothing', async () => {
    const ground = groundOf('alone')
    await ground.tree('src')
    await ground.plan({ transfers: { data: { where: 'login' } } })
    const { exitCode, stderr } = await ground.apply()
    expect(stderr).not.toContain('Slurm jobs')
    expect(exitCode).toBe(0)
    expect(await jobs(ground)).toEqual([])
    expect(await compareTrees(ground.in('src'), ground.in('data'), { mtimes: true })).toEqual([])
  })
})
