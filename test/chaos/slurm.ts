/** A lab as a world: everything of `mishaps.ts`, and what happens to clusters. */

import { setTimeout as sleep } from 'node:timers/promises'
import { NODES, type NodeName } from '../lab/conf.ts'
import type { Lab } from '../lab/lab.ts'
import { pace } from '../rig/pace.ts'
import { commonMishaps } from './mishaps.ts'
import { endAll, leftAfter } from './processes.ts'
import type { Scenario } from './scenario.ts'
import type { Chance } from './seeded.ts'
import type { Mishaps, World } from './world.ts'

const PACE = {
  ...pace(0.5, 6),
  SOXPLAN_SHARD_SECONDS: '0.002',
  SOXPLAN_TICK_MILLIS: '300',
  SOXPLAN_NO_PROBE: '1',
}
const FROZEN_MILLIS = 9000
const SHORTLY_MILLIS = 2000
/** slurmd ends the steps of a cancelled job after its KillWait. */
const JOBS_MILLIS = 30_000

const args = ['apply', 'plan.yaml', '--executor', 'slurm', '--yes'] as const

export function slurmWorld(lab: Lab): World {
  return {
    name: 'slurm',
    env: { ...lab.env, ...PACE },
    args,
    more: () => [],
    mishaps: { ...commonMishaps(args, FROZEN_MILLIS), ...clusterMishaps(lab) },
    mishapMillisMax: 4000,
    recover: async () => {
      await lab.ctld.start()
      for (const node of NODES) {
        await lab.slurmd(node).start()
        await lab.run('scontrol', 'update', `NodeName=${node}`, 'State=RESUME')
      }
    },
    left: async (scenario) => {
      const jobs = await jobsAfter(lab, JOBS_MILLIS)
      return [...jobs.map((job) => `still in the queue: ${job}`), ...(await leftAfter(scenario, JOBS_MILLIS))]
    },
    sweep: async (scenario: Scenario) => {
      await lab.run('scancel', `--user=${process.env['USER'] ?? 'root'}`)
      await jobsAfter(lab, JOBS_MILLIS)
      await endAll(scenario)
    },
  }
}

/** One lab is one seed's at a time, so every job is its own. */
async function jobsAfter(lab: Lab, millis: number): Promise<readonly string[]> {
  const end = Date.now() + millis
  for (;;) {
    const { stdout } = await lab.run('squeue', '--noheader', '--format=%i %j %T %r')
    const jobs = stdout.split('\n').filter((line) => line !== '')
    if (jobs.length === 0 || Date.now() > end) return jobs
    await sleep(300)
  }
}

async function someJob(lab: Lab, chance: Chance, format: string): Promise<string | undefined> {
  const { stdout } = await lab.run('squeue', '--noheader', '--array', `--format=${format}`)
  const [first, ...rest] = stdout.split('\n').filter((line) => line !== '')
  return first === undefined ? undefined : chance.pick([first, ...rest])
}

const someNode = (chance: Chance): NodeName => chance.pick([...NODES] as [NodeName, ...NodeName[]])

function clusterMishaps(lab: Lab): Mishaps {
  const cancelOne = async (chance: Chance, format: string): Promise<void> => {
    const job = await someJob(lab, chance, format)
    if (job !== undefined) await lab.run('scancel', job)
  }
  return {
    'slurmctld is frozen for a while': async () => {
      lab.ctld.freeze()
      await sleep(SHORTLY_MILLIS)
      lab.ctld.thaw()
    },
    'slurmctld is killed and comes back': async () => {
      await lab.ctld.kill()
      await sleep(SHORTLY_MILLIS)
      await lab.ctld.start()
    },
    'a slurmd is killed and comes back': async (_, chance) => {
      const slurmd = lab.slurmd(someNode(chance))
      await slurmd.kill()
      await sleep(SHORTLY_MILLIS)
      await slurmd.start()
    },
    'a node is drained': async (_, chance) => lab.drain(someNode(chance)),
    'a task is cancelled': (_, chance) => cancelOne(chance, '%i'),
    'an array is cancelled': (_, chance) => cancelOne(chance, '%F'),
    'a job is requeued': async (_, chance) => {
      const job = await someJob(lab, chance, '%i')
      if (job !== undefined) await lab.run('scontrol', 'requeue', job)
    },
  }
}
