import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pacer, type Clock } from '../../src/executor/slurm/bucket.ts'
import type { Call } from '../../src/executor/slurm/queue.ts'
import { ok } from '../../src/diagnostic.ts'

/** A clock that jumps to where a sleep ends. */
function jumpingClock(): Clock & { at: number } {
  const clock = {
    at: 0,
    now: () => clock.at,
    sleep: (milliseconds: number) => {
      clock.at += milliseconds
      return Promise.resolve()
    },
  }
  return clock
}

function counted(clock: { readonly at: number }): { readonly call: Call; readonly times: number[] } {
  const times: number[] = []
  const call: Call = () => {
    times.push(clock.at)
    return Promise.resolve(ok({ stdout: '', stderr: '' }))
  }
  return { call, times }
}

describe('calls of Slurm', () => {
  test('a store of them goes at once, then one at a time', async () => {
    const clock = jumpingClock()
    const { call, times } = counted(clock)
    const paced = pacer({ size: 3, refillMillis: 1000 }, clock)
    const [squeue, sbatch] = [paced(call), paced(call)]
    for (let i = 0; i < 3; i++) {
      await squeue(['squeue'])
      await sbatch(['sbatch'])
    }
    expect(times).toEqual([0, 0, 0, 1000, 2000, 3000])
    clock.at += 60_000
    for (let i = 0; i < 4; i++) await squeue(['squeue'])
    expect(times.slice(6)).toEqual([63_000, 63_000, 63_000, 64_000])
  })

  test('whoever has had enough does not wait', async () => {
    const clock = jumpingClock()
    const { call, times } = counted(clock)
    const paced = pacer({ size: 1, refillMillis: 1000 }, clock)(call)
    const control = new AbortController()
    control.abort()
    for (let i = 0; i < 3; i++) await paced(['squeue'], control.signal)
    expect(times).toEqual([0, 0, 0])
  })

  test('in no time are there more than the store and what came in meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 40 }),
        async (size, pauses) => {
          const clock = jumpingClock()
          const { call, times } = counted(clock)
          const paced = pacer({ size, refillMillis: 1000 }, clock)(call)
          for (const millis of pauses) {
            clock.at += millis
            await paced(['squeue'])
          }
          for (const [first, from] of times.entries())
            for (const [last, to] of times.entries())
              if (last >= first)
                expect(last - first + 1).toBeLessThanOrEqual(size + (to - from) / 1000 + 1e-6)
        },
      ),
    )
  })
})
