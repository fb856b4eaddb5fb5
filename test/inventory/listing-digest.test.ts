import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ListingDigest } from '../../src/inventory/listing-digest.ts'
import { createScanner } from '../../src/inventory/scan.ts'

interface Line {
  readonly kind: string
  readonly size: number
  readonly mtime: number
  readonly path: string
  readonly target: string
}

const word = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '\n', '\xff', ' '),
  minLength: 1,
  maxLength: 6,
})
const line: fc.Arbitrary<Line> = fc.record({
  kind: fc.constantFrom('f', 'd', 'l'),
  size: fc.oneof(fc.nat(3), fc.maxSafeNat()),
  mtime: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.maxSafeNat()),
  path: word,
  target: word,
})

/** All that the comparison looks at. */
function comparedOf({ kind, size, mtime, path, target }: Line): string {
  return JSON.stringify(
    kind === 'f' ? [kind, path, size, mtime] : kind === 'l' ? [kind, path, target] : [kind, path],
  )
}

function digestOf(lines: readonly Line[]): ListingDigest {
  const digest = new ListingDigest()
  const scanner = createScanner('listing', (view) => {
    digest.add(view)
  })
  for (const { kind, size, mtime, path, target } of lines) {
    const record = `${kind} ${size} ${mtime}.0000000000 0 0 1 0 0 0 ${path}\0${kind === 'l' ? target : ''}\0`
    expect(scanner.push(Buffer.from(record, 'latin1'))).toBeUndefined()
  }
  return digest
}

test('equal exactly when both listings hold the same entries, in whatever order', () => {
  const near = fc.array(line, { maxLength: 6 }).chain((one) =>
    fc.tuple(
      fc.constant(one),
      fc.oneof(
        fc.shuffledSubarray(one, { minLength: one.length }),
        fc.shuffledSubarray(one),
        fc.array(line, { maxLength: 6 }),
        fc.tuple(fc.constant(one), line).map(([lines, more]) => [...lines.slice(1), more]),
      ),
    ),
  )
  fc.assert(
    fc.property(near, ([one, other]) => {
      const isSame =
        JSON.stringify(one.map(comparedOf).sort()) === JSON.stringify(other.map(comparedOf).sort())
      expect(digestOf(one).equals(digestOf(other))).toBe(isSame)
    }),
    { numRuns: 3000 },
  )
})

test('a target that begins where the path of another ends is another entry', () => {
  const link = (path: string, target: string): Line => ({ kind: 'l', size: 0, mtime: 0, path, target })
  expect(digestOf([link('a', 'bc')]).equals(digestOf([link('ab', 'c')]))).toBe(false)
})

test('no two of a hundred thousand entries that differ by one digit are taken for each other', () => {
  const seen = new Set<string>()
  const digests = Array.from({ length: 100_000 }, (_, at) => ({
    kind: 'f',
    size: at % 1000,
    mtime: 1_700_000_000 + Math.trunc(at / 1000),
    path: 'same',
    target: '',
  }))
  for (const one of digests) seen.add(JSON.stringify(digestOf([one])))
  expect(seen.size).toBe(digests.length)
})
