import { describe, expect, test } from 'vitest'
import { compileFilter } from '../../src/inventory/filter.ts'
import { viewOf } from './records.ts'

/** Which of `paths` are taken. A closing slash makes a directory. UTF-8 text. */
function taken(patterns: { include?: string[]; exclude?: string[] }, paths: readonly string[]): string[] {
  const filter = compileFilter(patterns.include ?? [], patterns.exclude ?? [])
  if (!filter.ok) throw new Error(filter.error[0]?.what)
  return paths.filter((path) => {
    const kind = path.endsWith('/') ? 'd' : 'f'
    const raw = Buffer.from(path.replace(/\/$/, '')).toString('latin1')
    return filter.value?.takes(viewOf({ kind, path: raw })) ?? true
  })
}

describe('one pattern', () => {
  test.each<[pattern: string, named: string[], others: string[]]>([
    ['*.tar', ['a.tar', 'd/a.tar', '.tar'], ['a.tar.gz', 'd/tar']],
    ['/*.tar', ['a.tar'], ['d/a.tar']],
    ['**/*.tar', ['a.tar', 'd/e/a.tar'], ['a']],
    ['d/*.c', ['d/a.c', 'x/d/a.c'], ['d/e/a.c', 'xd/a.c']],
    ['/d/**/a', ['d/a', 'd/x/a', 'd/x/y/a'], ['x/d/a', 'd/xa']],
    ['a**z', ['a/b/z', 'az'], ['b/ay']],
    ['?', ['x', 'd/é', '🚚'], ['xx']],
    ['[a-c]1', ['a1', 'c1'], ['d1', 'a']],
    ['[!a-c]1', ['d1', 'é1'], ['a1', '/1']],
    ['[]x]', [']', 'x'], ['y']],
    ['[éà]', ['é', 'à'], ['e', 'è']],
    ['{a,b*}.c', ['a.c', 'bb.c'], ['c.c', 'a.cc']],
    ['{**/a,b}', ['x/y/a', 'b'], ['c']],
    ['a,b', ['a,b'], ['a']],
    ['\\*', ['*'], ['x']],
    ['\\{a\\}', ['{a}'], ['a']],
    ['a.b', ['a.b'], ['axb']],
    ['(a|b)+$', ['(a|b)+$'], ['a']],
    ['cafe\u0301', ['cafe\u0301'], ['caf\u00e9']],
    ['new\nline', ['new\nline'], ['newline']],
    ['Case', ['Case'], ['case']],
  ])('%s', (pattern, named, others) => {
    expect(taken({ include: [pattern] }, [...named, ...others])).toEqual(named)
    expect(taken({ exclude: [pattern] }, [...named, ...others])).toEqual(others)
  })

  test('a directory it names brings everything below', () => {
    const paths = ['tmp/', 'tmp/a', 'tmp/b/', 'tmp/b/c', 'x/tmp/', 'x/tmp/a', 'tmpx', 'x/']
    const below = ['tmp/', 'tmp/a', 'tmp/b/', 'tmp/b/c', 'x/tmp/', 'x/tmp/a']
    for (const pattern of ['tmp', 'tmp/', 'tmp/**']) {
      expect(taken({ include: [pattern] }, paths)).toEqual(below)
      expect(taken({ exclude: [pattern] }, paths)).toEqual(['tmpx', 'x/'])
    }
    expect(taken({ exclude: ['/tmp/*'] }, paths)).toEqual(['tmp/', 'x/tmp/', 'x/tmp/a', 'tmpx', 'x/'])
  })

  test('with a closing slash it never names a file', () => {
    expect(taken({ exclude: ['tmp/'] }, ['tmp', 'd/tmp'])).toEqual(['tmp', 'd/tmp'])
  })

  test('bytes that are no UTF-8 are characters of their own', () => {
    const filter = compileFilter([], ['?.bin'])
    if (!filter.ok) throw new Error('no filter')
    expect(filter.value?.takes(viewOf({ path: '\xff.bin' }))).toBe(false)
    expect(filter.value?.takes(viewOf({ path: '\xff\xff.bin' }))).toBe(true)
  })
})

describe('several', () => {
  const paths = ['a.tar', 'a.zip', 'tmp/', 'tmp/b.tar', 'data/', 'data/c.tar']

  test('exclude wins over include', () => {
    expect(taken({ include: ['*.tar'], exclude: ['tmp/**'] }, paths)).toEqual(['a.tar', 'data/c.tar'])
  })

  test('nothing below an excluded directory comes back', () => {
    expect(taken({ include: ['tmp/b.tar'], exclude: ['tmp'] }, paths)).toEqual([])
  })

  test('no patterns, no filter', () => {
    expect(compileFilter([], [])).toEqual({ ok: true, value: undefined })
  })
})

test('a pattern that can not be read says why, each of them', () => {
  const filter = compileFilter(['[a', '{a,b', 'ok'], ['[z-a]', 'a\\', '/', '[a-é]'])
  expect(filter.ok ? [] : filter.error.map(({ code, what }) => `${code} ${what}`)).toEqual([
    'SX210 include: the pattern "[a" can not be read: a `[` is never closed',
    'SX210 include: the pattern "{a,b" can not be read: a `{` is never closed',
    'SX210 exclude: the pattern "[z-a]" can not be read: the range z-a runs backwards',
    'SX210 exclude: the pattern "a\\\\" can not be read: it ends in a backslash',
    'SX210 exclude: the pattern "/" can not be read: it names nothing',
    'SX210 exclude: the pattern "[a-é]" can not be read: a range in `[…]` goes beyond ASCII',
  ])
})
