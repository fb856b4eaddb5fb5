import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ShardPlan } from '../../src/shard/finish.ts'
import { planByPrefixes } from '../../src/shard/prefixes.ts'
import { file, policy, rowOf, scan, treeOf, type TestEntry } from './entries.ts'
import { randomFrom, shapes, shuffled, sourceOf } from './sources.ts'

const isWork = (entry: TestEntry): boolean => '+~?'.includes(entry.fate ?? '+')

interface Carried {
  readonly plan: ShardPlan
  /** `tree PATH` and `loose PATH` per shard, sorted. */
  readonly units: readonly (readonly string[])[]
  /** Paths that are work, per shard, sorted. */
  readonly contents: readonly (readonly string[])[]
}

function carried(
  entries: readonly TestEntry[],
  shards: number,
  opens: (path: string) => boolean = () => true,
): Carried {
  const tree = treeOf(entries)
  const plan = planByPrefixes(tree, policy(shards), opens)
  const units: string[][] = plan.shards.map(() => [])
  for (const { shard, row, isWhole } of plan.prefixes?.units ?? [])
    units[shard]?.push(`${isWhole ? 'tree' : 'loose'} ${tree.path(row)}`)
  const contents: string[][] = plan.shards.map(() => [])
  scan(entries, (view) => {
    const path = view.buffer.toString('latin1', view.pathStart, view.pathEnd)
    contents[plan.assignment.shardOf(view, rowOf(tree, view))]?.push(path)
  })
  return { plan, units: units.map((one) => one.sort()), contents: contents.map((one) => one.sort()) }
}

/** Whether a unit carries a path, by its words alone. */
function holds(unit: string, path: string): boolean {
  const [kind = '', folder = ''] = unit.split(/ (.*)/s)
  const inside =
    folder === '' ? path : path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined
  return inside !== undefined && (kind === 'tree' || !inside.includes('/'))
}

describe('whole prefixes', () => {
  test('subtrees, and what stands loose beside them', () => {
    const source = ['a/1', 'a/2', 'b/x/1', 'b/y/1', 'c'].map((path) => file(path, 10))
    expect(carried(source, 1).units).toEqual([['tree ']])
    const { units, plan } = carried(source, 5)
    expect(units.flat().sort()).toEqual(['loose ', 'tree a', 'tree b/x', 'tree b/y'])
    expect(plan.shards).toHaveLength(4)
  })

  test('a flat directory is never split, and is named as what makes the shards uneven', () => {
    const flat = Array.from({ length: 90 }, (_, n) => file(`flat/${n}`, 1))
    const { units, plan } = carried([...flat, file('a/1', 10), file('b', 1)], 4)
    expect(units).toEqual([['tree flat'], ['tree a'], ['loose ']])
    expect(plan.balance.undivided).toEqual({ path: 'flat', files: 90, sizeBytes: 90 })
    const even = carried(
      ['a', 'b', 'c', 'd'].map((name) => file(`${name}/1`, 10)),
      4,
    )
    expect(even.plan.balance).toEqual({ meanSeconds: 10.001, maxSeconds: 10.001, ratio: 1 })
  })

  test('what can not be opened stays whole', () => {
    const source = ['[a]/1', '[a]/x/1', '[a]/y/1', 'b/1', 'b/x/1', 'c'].map((path) => file(path, 10))
    const { units } = carried(source, 6, (path) => !path.includes('['))
    expect(units.flat().sort()).toEqual(['loose ', 'loose b', 'tree [a]', 'tree b/x'])
  })

  test('every entry that is work is in exactly one shard, and in exactly one unit of it', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 12 }), fc.integer(), (shape, count, seed) => {
        const source = sourceOf(shape)
        const opens = (path: string): boolean => randomFrom(seed ^ path.length)() < 0.8
        const { plan, units, contents } = carried(source, count, opens)
        const work = source.filter(isWork).map(({ path }) => path)
        expect(contents.flat().sort()).toEqual(work.sort())
        const files = source.filter((entry) => isWork(entry) && (entry.kind ?? 'f') === 'f')
        const shardOf = new Map(contents.flatMap((paths, shard) => paths.map((path) => [path, shard])))
        for (const { path } of files)
          expect(
            units.flatMap((one, shard) => one.filter((unit) => holds(unit, path)).map(() => shard)),
          ).toEqual([shardOf.get(path)])
        const sum = (plan.prefixes?.units ?? []).reduce((total, unit) => total + unit.bytes, 0)
        expect(sum).toBe(files.reduce((total, { size = 0 }) => total + size, 0))
        const { maxSeconds, meanSeconds } = plan.balance
        expect(maxSeconds).toBeLessThanOrEqual((meanSeconds + plan.largestUnitSeconds) * (1 + 1e-12))
      }),
    )
  })

  test('what is no work is told its unit too, and the order of the listing does not show', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 12 }), fc.integer(), (shape, count, seed) => {
        const source = sourceOf(shape)
        const { plan, units } = carried(source, count)
        expect(carried(shuffled(source, randomFrom(seed)), count).units).toEqual(units)
        const tree = treeOf(source)
        const { prefixes } = planByPrefixes(tree, policy(count), () => true)
        scan(source, (view) => {
          const path = view.buffer.toString('latin1', view.pathStart, view.pathEnd)
          const unit = prefixes?.units[prefixes.unitOf(rowOf(tree, view))]
          const all = units.flat().filter((one) => holds(one, path))
          const said = unit && `${unit.isWhole ? 'tree' : 'loose'} ${tree.path(unit.row)}`
          if ('fl'.includes(String.fromCharCode(view.kindByte)))
            expect(said === undefined ? [] : [said]).toEqual(all)
        })
        expect(plan.shards.length).toBeLessThanOrEqual(count)
      }),
    )
  })
})
