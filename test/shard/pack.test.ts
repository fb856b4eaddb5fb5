import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packLargestFirst } from '../../src/shard/pack.ts'

test('largest first, each into the lightest, equal loads by number', () => {
  expect([...packLargestFirst(Float64Array.of(9, 5, 5, 4, 3, 1), 3)]).toEqual([0, 1, 2, 1, 2, 2])
})

test('fewer units than shards leave the last ones empty', () => {
  expect([...packLargestFirst(Float64Array.of(2, 1), 5)]).toEqual([0, 1])
})

test('the heaviest is at most the mean plus the largest, and as even as a plain search for the lightest', () => {
  const costs = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 20 }), (unsorted, count) => {
      const sorted = Float64Array.from(unsorted).sort().reverse()
      const loads = new Array<number>(count).fill(0)
      for (const [unit, shard] of packLargestFirst(sorted, count).entries()) {
        expect(loads[shard]).toBe(Math.min(...loads))
        loads[shard] = (loads[shard] ?? 0) + (sorted[unit] ?? 0)
      }
      const mean = loads.reduce((sum, load) => sum + load, 0) / count
      expect(Math.max(...loads)).toBeLessThanOrEqual(mean + (sorted[0] ?? 0))
    }),
  )
})
