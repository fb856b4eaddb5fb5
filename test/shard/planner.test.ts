import { describe, expect, test } from 'vitest'
import { directory, file, hardLink, planOf, policy, type TestEntry } from './entries.ts'

function many(count: number, make: (index: number) => TestEntry): TestEntry[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

describe('small sources, shard by shard', () => {
  test('nothing at all is no shard', () => {
    const { plan } = planOf([], policy(4))
    expect(plan.shards).toEqual([])
    expect(plan.balance).toEqual({ meanSeconds: 0, maxSeconds: 0, ratio: 1 })
  })

  test('what is at the destination already is no work', () => {
    const { plan, leftOut } = planOf([{ path: 'a', size: 9, fate: '=' }], policy(4))
    expect(plan.shards).toEqual([])
    expect(leftOut).toEqual(['a'])
  })

  test('empty directories alone are one shard', () => {
    const { plan, contents } = planOf([directory('a'), directory('a/b'), directory('c')], policy(4))
    expect(contents).toEqual([['a', 'a/b', 'c']])
    expect(plan.shards[0]).toMatchObject({ id: '00001', files: 0, directories: 3, bytes: 0 })
  })

  test('one shard takes everything, hard links included', () => {
    const { plan, contents } = planOf(
      [directory('d'), hardLink('d/one', 1, 5), hardLink('two', 1, 5)],
      policy(1),
    )
    expect(contents).toEqual([['d', 'd/one', 'two']])
    expect(plan.shards).toEqual([
      {
        id: '00001',
        files: 2,
        directories: 1,
        symlinks: 0,
        bytes: 10,
        costSeconds: 10.003,
        units: 1,
        hasHardLinks: true,
      },
    ])
  })

  test('equal subtrees stay whole, and ties go by path', () => {
    const source = ['b', 'a', 'd', 'c'].flatMap((name) => [
      directory(name),
      file(`${name}/1`, 5),
      file(`${name}/2`, 5),
    ])
    const { contents, plan } = planOf(source, policy(4))
    expect(contents).toEqual([
      ['a', 'a/1', 'a/2'],
      ['b', 'b/1', 'b/2'],
      ['c', 'c/1', 'c/2'],
      ['d', 'd/1', 'd/2'],
    ])
    expect(plan.balance.ratio).toBe(1)
    expect(plan.balance.dominant).toBeUndefined()
  })

  test('a skewed tree: the heavy directory is opened, the light ones stay whole', () => {
    const source = [
      directory('heavy'),
      ...many(4, (index) => file(`heavy/part${index}`, 100)),
      directory('light'),
      directory('light/1'),
      file('light/1/x', 50),
      directory('light/2'),
      file('light/2/y', 50),
    ]
    const { contents, plan } = planOf(source, policy(5))
    expect(contents.map((paths) => paths.filter((path) => !path.startsWith('light')))).toContainEqual([
      'heavy/part0',
    ])
    expect(contents.flat()).toHaveLength(source.length)
    expect(contents.find((paths) => paths.includes('light/1/x'))).toContain('light/2/y')
    expect(plan.shards.map((shard) => shard.bytes)).toEqual([100, 100, 100, 100, 100])
  })

  test('one giant file: named, alone in its shard, the rest even', () => {
    const source = [file('giant', 1000), directory('d'), ...many(300, (index) => file(`d/${index}`, 1))]
    const { plan, contents } = planOf(source, policy(4))
    expect(contents[0]).toEqual(['giant'])
    expect(plan.shards.map((shard) => shard.files)).toEqual([1, 100, 100, 100])
    expect(plan.balance.dominant).toEqual({ path: 'giant', sizeBytes: 1000 })
    expect(plan.balance.ratio).toBeCloseTo(3.0767, 3)
  })

  test('of two giant files of one size the first by path is named', () => {
    const { plan } = planOf(
      [file('z', 99), file('m', 99), ...many(50, (index) => file(`f${index}`, 1))],
      policy(8),
    )
    expect(plan.balance.dominant?.path).toBe('m')
  })

  test('a name that is no UTF-8 is named byte by byte', () => {
    const { plan } = planOf([file('\xff\xfe', 99), file('a', 1), file('b', 1)], policy(3))
    expect(plan.balance.dominant?.path).toBe('\xff\xfe')
  })
})

describe('shapes that a cut by directories alone can not balance', () => {
  test('one flat directory of many', () => {
    const { plan } = planOf(
      [directory('flat'), ...many(20_000, (index) => file(`flat/f${index}`))],
      policy(16),
    )
    expect(plan.shards).toHaveLength(16)
    expect(plan.balance.ratio).toBeLessThan(1.01)
    expect(plan.shards.reduce((sum, shard) => sum + shard.directories, 0)).toBe(1)
  })

  test('all files in the source itself', () => {
    const { plan } = planOf(
      many(5000, (index) => file(`f${index}`, index % 7)),
      policy(8),
    )
    expect(plan.shards).toHaveLength(8)
    expect(plan.balance.ratio).toBeLessThan(1.01)
  })

  test('a thousand symlinks beside one file', () => {
    const links = many(3000, (index): TestEntry => ({ path: `l${index}`, kind: 'l', target: 'x' }))
    const { plan } = planOf([file('f'), ...links], policy(4))
    expect(plan.balance.ratio).toBeLessThan(1.01)
  })

  test('a chain of 1,000 directories with a file in each', () => {
    const source: TestEntry[] = []
    let path = 'd'
    for (let level = 0; level < 1000; level++) {
      source.push(directory(path), file(`${path}/f`, 1))
      path += '/d'
    }
    const { plan, contents } = planOf(source, policy(8))
    expect(contents.flat()).toHaveLength(2000)
    expect(plan.balance.ratio).toBeLessThan(1.01)
  })

  test('hard-link groups across directories: their names stay together, the rest of the directories does not', () => {
    const source: TestEntry[] = []
    for (const top of ['a', 'b']) {
      source.push(directory(top))
      for (let index = 0; index < 1000; index++) source.push(file(`${top}/f${index}`, 1))
      for (let index = 0; index < 100; index++) source.push(hardLink(`${top}/h${index}`, index, 1))
    }
    const { plan, contents } = planOf(source, policy(4))
    expect(plan.balance.ratio).toBeLessThan(1.01)
    for (const paths of contents) {
      const names = (top: string): string[] =>
        paths.filter((path) => path.startsWith(`${top}/h`)).map((path) => path.slice(2))
      expect(names('a')).toEqual(names('b'))
    }
  })

  test('hard-link groups inside one subtree leave it whole', () => {
    const source = ['a', 'b', 'c', 'd'].flatMap((top, place) => [
      directory(top),
      ...many(10, (index) => hardLink(`${top}/1-${index}`, place * 100 + index, 1)),
      ...many(10, (index) => hardLink(`${top}/2-${index}`, place * 100 + index, 1)),
    ])
    const { contents, plan } = planOf(source, policy(4))
    expect(contents.map((paths) => new Set(paths.map((path) => path[0])).size)).toEqual([1, 1, 1, 1])
    expect(plan.shards.every((shard) => shard.hasHardLinks)).toBe(true)
  })
})
