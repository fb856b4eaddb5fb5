import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { costOf } from '../../src/shard/cost.ts'
import type { CostModel } from '../../src/shard/shard.ts'
import { planOf, policy, type TestEntry } from './entries.ts'
import { randomFrom, shapes, shuffled, sourceOf } from './sources.ts'

const models = fc.constantFrom<CostModel>(
  { secondsPerByte: 1e-9, secondsPerFile: 5e-4 },
  { secondsPerByte: 1, secondsPerFile: 1e-6 },
  { secondsPerByte: 1e-12, secondsPerFile: 1 },
)
const counts = fc.integer({ min: 1, max: 12 })
const isWork = (entry: TestEntry): boolean => '+~?'.includes(entry.fate ?? '+')

/** Seconds of each thing that can not be taken apart: a file, or all names of one inode. */
function lumps(entries: readonly TestEntry[], cost: CostModel): number[] {
  const groups = new Map<number, number>()
  const single: number[] = []
  for (const entry of entries.filter(isWork)) {
    const seconds = costOf(cost, (entry.kind ?? 'f') === 'f' ? (entry.size ?? 0) : 0, 1)
    if (entry.inode === undefined) single.push(seconds)
    else groups.set(entry.inode, (groups.get(entry.inode) ?? 0) + seconds)
  }
  return [...single, ...groups.values()]
}

describe('for every source', () => {
  test('every entry that is work is in exactly one shard, and nothing else is', () => {
    fc.assert(
      fc.property(shapes, counts, models, (shape, count, cost) => {
        const source = sourceOf(shape)
        const { plan, contents, leftOut } = planOf(source, policy(count, cost))
        const work = source.filter(isWork)
        expect(contents.flat().sort()).toEqual(work.map((entry) => entry.path).sort())
        expect(leftOut).toEqual(
          source
            .filter((entry) => !isWork(entry))
            .map((entry) => entry.path)
            .sort(),
        )
        const files = work.filter((entry) => (entry.kind ?? 'f') === 'f')
        const sum = (key: 'files' | 'symlinks' | 'directories' | 'bytes'): number =>
          plan.shards.reduce((total, shard) => total + shard[key], 0)
        expect(sum('files')).toBe(files.length)
        expect(sum('bytes')).toBe(files.reduce((total, entry) => total + (entry.size ?? 0), 0))
        expect(sum('symlinks')).toBe(work.filter((entry) => entry.kind === 'l').length)
        expect(sum('directories')).toBe(work.filter((entry) => entry.kind === 'd').length)
      }),
    )
  })

  test('a shard holds what its line says, and none is empty', () => {
    fc.assert(
      fc.property(shapes, counts, models, (shape, count, cost) => {
        const source = new Map(sourceOf(shape).map((entry) => [entry.path, entry]))
        const { plan, contents } = planOf([...source.values()], policy(count, cost))
        for (const [index, shard] of plan.shards.entries()) {
          const entries = (contents[index] ?? []).map((path) => source.get(path))
          const files = entries.filter((entry) => (entry?.kind ?? 'f') === 'f')
          expect(entries.length).toBeGreaterThan(0)
          expect(shard.files).toBe(files.length)
          expect(shard.bytes).toBe(files.reduce((total, entry) => total + (entry?.size ?? 0), 0))
          expect(shard.costSeconds).toBe(costOf(cost, shard.bytes, entries.length))
          expect(shard.hasHardLinks || !files.some((entry) => entry?.inode !== undefined)).toBe(true)
        }
      }),
    )
  })

  test('there are at most as many shards as asked for, and no more than files and symlinks', () => {
    fc.assert(
      fc.property(shapes, counts, models, (shape, count, cost) => {
        const source = sourceOf(shape)
        const { plan } = planOf(source, policy(count, cost))
        const carried = source.filter((entry) => isWork(entry) && entry.kind !== 'd').length
        expect(plan.shards.length).toBeLessThanOrEqual(Math.min(count, Math.max(1, carried)))
      }),
    )
  })

  test('the costliest shard is at most the mean plus the largest unit', () => {
    fc.assert(
      fc.property(shapes, counts, models, (shape, count, cost) => {
        const { plan } = planOf(sourceOf(shape), policy(count, cost))
        const { maxSeconds, meanSeconds } = plan.balance
        expect(maxSeconds).toBeLessThanOrEqual((meanSeconds + plan.largestUnitSeconds) * (1 + 1e-12))
      }),
    )
  })

  test('all names of one inode are in one shard', () => {
    fc.assert(
      fc.property(shapes, counts, models, (shape, count, cost) => {
        const source = sourceOf(shape)
        const { contents } = planOf(source, policy(count, cost))
        const shardOf = new Map(
          contents.flatMap((paths, shard) => paths.map((path) => [path, shard] as const)),
        )
        const shardsOfInode = new Map<number, Set<number | undefined>>()
        for (const { path, inode } of source) {
          if (inode === undefined) continue
          const shards = shardsOfInode.get(inode) ?? new Set()
          shardsOfInode.set(inode, shards.add(shardOf.get(path)))
        }
        for (const shards of shardsOfInode.values()) expect(shards.size).toBe(1)
      }),
    )
  })

  test('the order of the listing does not show', () => {
    fc.assert(
      fc.property(shapes, counts, models, fc.integer(), (shape, count, cost, seed) => {
        const source = sourceOf(shape).map((entry, index) => ({ inode: 1000 + index, ...entry }))
        const one = planOf(source, policy(count, cost))
        const other = planOf(shuffled(source, randomFrom(seed)), policy(count, cost))
        expect(other.contents).toEqual(one.contents)
        expect(other.plan.shards).toEqual(one.plan.shards)
        expect(other.plan.balance).toEqual(one.plan.balance)
      }),
    )
  })
})

test('shards are even to one percent where no file and no hard-link group costs more than that', () => {
  const fine = fc.record({
    seed: fc.integer(),
    directories: fc.integer({ min: 0, max: 200 }),
    files: fc.integer({ min: 1500, max: 6000 }),
    symlinks: fc.constantFrom(0, 30),
    linkGroups: fc.constantFrom(0, 40),
    flatShare: fc.constantFrom(0, 0.3, 0.9, 1),
    sizeMax: fc.constantFrom(0, 10 ** 6),
    skew: fc.constantFrom(1, 2, 4),
  })
  let held = 0
  fc.assert(
    fc.property(fine, fc.integer({ min: 2, max: 20 }), models, (shape, count, cost) => {
      const source = sourceOf(shape)
      const { plan } = planOf(source, policy(count, cost))
      const largest = lumps(source, cost).reduce((most, seconds) => Math.max(most, seconds), 0)
      if (largest > plan.balance.meanSeconds / 100) return
      held += 1
      expect(plan.shards).toHaveLength(count)
      expect(plan.balance.ratio).toBeLessThanOrEqual(1.01)
    }),
    { numRuns: 60 },
  )
  // A property that is never put to the test would pass, too.
  expect(held).toBeGreaterThan(10)
})
