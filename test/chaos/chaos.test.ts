/** A handful of seeds; `npm run chaos` plays as many as anybody has patience for. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noLab } from '../apply-slurm/ground.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { localWorld } from './local.ts'
import { playSeed } from './seed.ts'
import { slurmWorld } from './slurm.ts'

describe('chaos on this machine', () => {
  test.each([1, 2, 3, 4, 5, 6])('seed %i', async (seed) => {
    const { story, broken } = await playSeed(seed, localWorld())
    expect({ story, broken }).toEqual({ story, broken: [] })
  })
})

describe.skipIf(noLab('Chaos on Slurm'))('chaos on Slurm', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await startLab({ settings: { SlurmdTimeout: '5', MessageTimeout: '3' } })
  })
  afterAll(() => lab.close())

  test.each([1, 2])('seed %i', async (seed) => {
    const { story, broken } = await playSeed(seed, slurmWorld(lab))
    expect({ story, broken }).toEqual({ story, broken: [] })
  })
})
