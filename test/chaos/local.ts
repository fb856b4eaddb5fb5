/** This machine as a world. */

import { pace } from '../rig/pace.ts'
import { plainEnvironment } from '../rig/soxplan.ts'
import { commonMishaps } from './mishaps.ts'
import { endAll, leftAfter } from './processes.ts'
import type { World } from './world.ts'

/** Many small shards, and short leases: what waits for them is tried out in seconds. */
const PACE = { ...pace(0.2, 3), SOXPLAN_SHARD_SECONDS: '0.002' }
const FROZEN_MILLIS = 5000
/** A guard looks for its driver every few seconds. */
const GUARD_MILLIS = 15_000
const SLOTS_MAX = 3

const args = ['apply', 'plan.yaml', '--executor', 'local', '--yes'] as const

export function localWorld(): World {
  return {
    name: 'local',
    env: plainEnvironment(PACE),
    args,
    more: (chance) => ['--slots', String(chance.between(1, SLOTS_MAX))],
    mishaps: commonMishaps(args, FROZEN_MILLIS),
    mishapMillisMax: 1500,
    recover: () => Promise.resolve(),
    left: (scenario) => leftAfter(scenario, GUARD_MILLIS),
    sweep: endAll,
  }
}
