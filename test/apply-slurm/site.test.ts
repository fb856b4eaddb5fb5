/** What a site does to workers: a partition of higher priority takes their nodes, a node's prolog fails. */

import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLab, type Lab } from '../lab/lab.ts'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder, type TempFolder } from '../rig/folder.ts'
import { Ground, noLab, type Running } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']

describe.skipIf(noLab('What a site does to workers'))('a site', () => {
  let lab: Lab
  let temp: TempFolder
  beforeAll(async () => {
    temp = await tempFolder()
    const prolog = join(temp.path, 'prolog')
    await writeFile(prolog, `#!/bin/bash\n[[ ! -e '${temp.path}/bad-'$SLURMD_NODENAME ]]\n`)
    await chmod(prolog, 0o755)
    lab = await startLab({
      settings: { PreemptType: 'preempt/partition_prio', PreemptMode: 'REQUEUE', Prolog: prolog },
    })
    await lab.scontrol('update', 'PartitionName=short', 'PriorityTier=10', 'PreemptMode=OFF')
  })
  afterAll(async () => {
    await lab.close()
    await temp[Symbol.asyncDispose]()
  })

  async function made(name: string, slurm: Readonly<Record<string, unknown>>): Promise<Ground> {
    const ground = new Ground(lab, join(temp.path, name))
    await ground.tree('src')
    await ground.plan({ slurm: { cpus: 64, ...slurm }, transfers: { data: {} } })
    return ground
  }

  interface UnderWay {
    readonly ground: Ground
    readonly running: Running
    readonly array: string
    readonly open: () => Promise<void>
  }

  /** Four workers, each with a shard under way that waits for `open`. */
  async function underWay(name: string, slurm: Readonly<Record<string, unknown>>): Promise<UnderWay> {
    const ground = await made(name, slurm)
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await lab.until(
      'four workers carry a shard each',
      async () => (await ground.stageFiles(/^data\.copy\/work\/.*claim$/)).length === 4,
    )
    return { ground, running, open: gate.open, array: (await ground.tickets())['data.copy'] ?? '' }
  }

  test.each([
    ['requeued', { requeue: true }],
    ['ended', { requeue: false }],
  ])('workers that are preempted and %s: others take over, and all of it arrives', async (name, slurm) => {
    const { ground, running, open, array } = await underWay(name, slurm)
    const urgent = await lab.sbatch(
      '--partition=short',
      '--array=0-1',
      '--exclusive',
      '--wrap=exec sleep 600',
    )
    await lab.untilJob(`${urgent}_1`, ['RUNNING'])
    const alive = await lab.squeue(
      '--noheader',
      '--array',
      '--states=RUNNING',
      '--format=%T',
      `--jobs=${array}`,
    )
    expect(alive.split('\n')).toHaveLength(2)
    expect((await ground.soxplan(['status'])).exitCode).toBe(4)
    await open()
    if (slurm.requeue) await lab.scancel(urgent)
    expect(await running.ended, running.output()).toBe(0)
    await lab.scancel(urgent)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect(await ground.queue()).toEqual([])
  })

  test('a prolog that fails where the closing worker starts: it is let go for another node', async () => {
    const ground = await made('closer', {})
    await writeFile(join(temp.path, 'bad-n1'), '')
    try {
      const { stderr, exitCode } = await ground.apply()
      expect(stderr).toMatch(
        /A node could not start worker \d+_0 \(sox-\S+-data\.copy\), and Slurm held it: it is let go for another node\. `sinfo --list-reasons` shows that node\.\n/,
      )
      expect(exitCode).toBe(0)
    } finally {
      await rm(join(temp.path, 'bad-n1'))
      await lab.resume('n1')
    }
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('the same with nobody there: status says what holds it, and a resume lets it go', async () => {
    const ground = await made('alone', { exclude: 'n[3-4]' })
    await writeFile(join(temp.path, 'bad-n1'), '')
    try {
      expect((await ground.apply('--detach')).exitCode).toBe(4)
      const held = async (): Promise<string> => (await ground.soxplan(['status'])).stdout
      await lab.until('the prolog has failed', async () => (await held()).includes('could not start'))
      expect(await held()).toContain(
        '  data.copy: waiting in the queue (a node could not start it, and Slurm holds it until an apply or resume lets it go)\n',
      )
    } finally {
      await rm(join(temp.path, 'bad-n1'))
      await lab.resume('n1')
    }
    const run = (await ground.newestRun()).split('/').at(-1) ?? ''
    expect((await ground.soxplan(['resume', run, '--yes'])).exitCode).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })
})
