/** The small pieces of the plan reader that have a life of their own. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../../src/plan/nearest.ts'
import { absolutePath, cleanPath, relation, segmentsOf } from '../../src/plan/paths.ts'
import { parseBandwidth, parseDuration } from '../../src/plan/quantities.ts'

describe('nearest', () => {
  test.each([
    ['transfer', ['transfers', 'tools'], 'transfers'],
    ['NODES', ['nodes', 'name'], 'nodes'],
    ['nmae', ['nodes', 'name'], 'name'],
    ['x', ['y'], 'y'],
    ['frobnicate', ['from', 'to'], undefined],
    ['ab', ['ac', 'ad'], 'ac'],
    ['a', [], undefined],
  ])('%s among %j is %s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected)
  })

  test('the distance is symmetric, zero only for equals, and at most the longer length', () => {
    const word = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })
})

describe('paths', () => {
  test.each([
    ['/', '/'],
    ['//a///b/./c/', '/a/b/c'],
    ['/a/../../b', '/b'],
    ['/...', '/...'],
  ])('%s is %s', (written, clean) => {
    expect(cleanPath(written)).toBe(clean)
  })

  test.each([
    ['~', '/home/alice'],
    ['~/x/', '/home/alice/x'],
    ['~x', '/plans/~x'],
    ['x', '/plans/x'],
    ['/x', '/x'],
  ])('%s from /plans is %s', (written, absolute) => {
    expect(absolutePath(written, '/plans', '/home/alice')).toBe(absolute)
  })

  test.each([
    ['/a', '/a/', 'same'],
    ['/a/b', '/a', 'inside'],
    ['/a', '/a/b', 'around'],
    ['/a', '/ab', 'apart'],
    ['/', '/a', 'around'],
  ])('%s lies to %s: %s', (a, b, expected) => {
    expect(relation(segmentsOf(a), segmentsOf(b))).toBe(expected)
  })
})

describe('quantities', () => {
  test.each(['0', '0:00', '1d', '', ':', '1-', '1:2:3:4', 'UNLIMITED', '-1'])(
    '%j is no duration',
    (written) => {
      expect(parseDuration(written)).toBeUndefined()
    },
  )

  test.each(['10', '10G', '10Gb/s', '10Gbps', 'fast', '1B/s', '0GB/s', '1,2GB/s', '1e3MB/s'])(
    '%j is no bandwidth',
    (written) => {
      expect(parseBandwidth(written)).toBeUndefined()
    },
  )
})
