import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { groundsOfLab, noLab } from './ground.ts'
import type { Ground, Running } from './ground.ts'

/** What happens to workers while the first shards are under way, and how `apply` ends. */
interface Fault {
  readonly name: string
  readonly strike: (ground: Ground, array: string) => Promise<unknown>
}

const faults: readonly Fault[] = [
  {
    name: 'one worker is requeued',
    strike: ({ lab }, array) => lab.scontrol('requeue', `${array}_1`),
  },
  {
    name: 'the closing worker is requeued',
    strike: ({ lab }, array) => lab.scontrol('requeue', `${array}_0`),
  },
  {
    name: 'one worker is cancelled',
    strike: ({ lab }, array) => lab.scancel(`${array}_2`),
  },
  {
    name: 'the shell of a worker is killed',
    strike: async (ground) => {
      process.kill(await workerPid(ground, 1), 'SIGKILL')
    },
  },
]

/** The process of a worker of the copy stage; its number stands in the name of its heartbeat. */
async function workerPid(ground: Ground, index: number): Promise<number> {
  const files = await ground.stageFiles(new RegExp(`^data\\.copy/workers/${index}\\.[^/]*\\d$`))
  const pid = Number(files[0]?.split('/').at(-1)?.split('.')[3])
  if (!(pid > 1)) throw new Error(`worker ${index} has no heartbeat`)
  return pid
}

describe.skipIf(noLab('Loss of workers'))('workers that are lost or come late', () => {
  const groundOf = groundsOfLab({ settings: { SlurmdTimeout: '3', MessageTimeout: '2' } })

  /** Four workers, each with a shard under way that waits for `open`. */
  const underWay = async (
    name: string,
  ): Promise<{ ground: Ground; running: Running; array: string; open: () => Promise<void> }> => {
    const ground = groundOf(name)
    await ground.tree('src')
    await ground.plan({ slurm: { cpus: 64 }, transfers: { data: {} } })
    const gate = await ground.gate()
    const running = ground.begin(['apply', 'plan.yaml', '--yes'], gate.env)
    await ground.lab.until(
      'four workers carry a shard each',
      async () => (await ground.stageFiles(/^data\.copy\/work\/.*claim$/)).length === 4,
    )
    const array = (await ground.tickets())['data.copy'] ?? ''
    return { ground, running, array, open: gate.open }
  }

  const delivered = async (ground: Ground, running: Running): Promise<void> => {
    expect(await running.ended, running.output()).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'), { mtimes: true })).toEqual([])
    for (const step of ['data.copy', 'data.verify']) {
      const shards = Object.values(await ground.verdicts(step))
      expect(shards).toHaveLength(7)
      expect(shards.map((results) => results.filter((result) => result === 'done').length)).toEqual(
        shards.map(() => 1),
      )
    }
    expect(await ground.queue()).toEqual([])
  }

  test.each(faults)('$name', async ({ name, strike }) => {
    const { ground, running, array, open } = await underWay(name)
    await strike(ground, array)
    await ground.lab.until(
      'the tool of the struck worker is gone',
      async () => (await ground.stageFiles(/^data\.copy\/(work\/.*\.end|workers\/.*\.gone)$/)).length > 0,
    )
    await open()
    await delivered(ground, running)
    const results = Object.values(await ground.verdicts('data.copy')).flat()
    expect(results.some((result) => result !== 'done')).toBe(true)
  })

  test('slurmd of a node dies, its step lives on', async () => {
    const { ground, running, array, open } = await underWay('slurmd')
    const node = await ground.lab.squeue('--noheader', '--format=%N', `--jobs=${array}_1`)
    const name = node.trim() as 'n1'
    await ground.lab.slurmd(name).kill()
    await ground.lab.until(
      'the worker is requeued',
      async () => (await ground.lab.jobState(`${array}_1`)) !== 'RUNNING',
    )
    await open()
    await delivered(ground, running)
    await ground.lab.slurmd(name).start()
  })

  test('more workers than places: those who never start hold nothing up', async () => {
    const ground = groundOf('drained')
    await ground.tree('src')
    await ground.plan({ slurm: { cpus: 64 }, transfers: { data: {} } })
    for (const node of ['n2', 'n3', 'n4'] as const) await ground.lab.drain(node)
    try {
      const applied = await ground.apply()
      expect(applied).toMatchObject({ exitCode: 0 })
      expect(await ground.queue()).toEqual([])
      const workers = await ground.stageFiles(/^data\.copy\/workers\/[^/]*\d$/)
      expect(workers.every((file) => file.includes('.n1.'))).toBe(true)
    } finally {
      for (const node of ['n2', 'n3', 'n4'] as const) await ground.lab.resume(node)
    }
  })

  test('the closing worker is killed: what has no proof is handed over again', async () => {
    const { ground, running, open } = await underWay('closer')
    process.kill(await workerPid(ground, 0), 'SIGKILL')
    await open()
    await delivered(ground, running)
    expect(running.output()).toContain(
      'Workers were lost (FAILED); handing over again what has no proof yet.',
    )
    expect((await ground.events()).filter(({ kind }) => kind === 'run')).toHaveLength(2)
  })

  test('the closing worker is cancelled: that stays as it is until somebody applies again', async () => {
    const { ground, running, array, open } = await underWay('cancelled')
    await ground.lab.scancel(`${array}_0`)
    await open()
    expect(await running.ended).toBe(1)
    expect(running.output()).toContain('before they had done all; apply again to finish. Their logs: ')
    expect(await ground.queue()).toEqual([])
    expect(await ground.apply()).toMatchObject({ exitCode: 0 })
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })
})
