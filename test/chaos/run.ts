/**
 * `npm run chaos -- --seeds N [--first S] [--slurm] [--at-once K]`: plays seeds on this machine, or one after another on a
 * lab. Ends 1 when one of them breaks a rule; the same seed tells the same story, but for who is quicker.
 */

import { parseArgs } from 'node:util'
import { startLab } from '../lab/lab.ts'
import { localWorld } from './local.ts'
import { playSeed } from './seed.ts'
import { slurmWorld } from './slurm.ts'
import type { World } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    first: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    slurm: { type: 'boolean', default: false },
  },
})
const [count = 0, first = 0, atOnce = 0] = [values.seeds, values.first, values['at-once']].map(Number)
if (![count, first, atOnce].every((value) => Number.isInteger(value) && value > 0)) {
  console.error('--seeds, --first and --at-once are whole numbers from 1 on.')
  process.exit(2)
}

async function playAll(world: World, side: number): Promise<number> {
  let next = first
  let failed = 0
  const work = async (): Promise<void> => {
    for (let seed = next++; seed < first + count; seed = next++) {
      const { story, broken } = await playSeed(seed, world)
      if (broken.length > 0) failed++
      console.log(`${world.name} ${seed}: ${broken.length === 0 ? 'held' : 'BROKEN'}: ${story.join(' | ')}`)
      for (const line of broken) console.log(`  ${line.replaceAll('\n', '\n  ')}`)
    }
  }
  await Promise.all(Array.from({ length: side }, work))
  return failed
}

let failed: number
if (values.slurm) {
  // As a dead node is found out: it is not worth a minute of each seed.
  await using lab = await startLab({ settings: { SlurmdTimeout: '5', MessageTimeout: '3' } })
  failed = await playAll(slurmWorld(lab), 1)
} else failed = await playAll(localWorld(), atOnce)
console.log(`${count - failed} held, ${failed} broken`)
process.exitCode = failed === 0 ? 0 : 1
