import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { manifestRecords, scanAll, type Shown } from './records.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('one record', () => {
  test('of a listing', () => {
    const { records, fault } = scanAll('listing', [
      bytes('f 1234 1700000000.9876543210 64768 131 2 644 0 0 a b/c\nd\0\0'),
    ])
    expect(fault).toBeUndefined()
    expect(records).toEqual([
      {
        fate: '',
        kind: 'f',
        size: 1234,
        mtime: 1_700_000_000,
        links: 2,
        identity: '64768 131',
        path: 'a b/c\nd',
        name: 'c\nd',
        target: '',
      },
    ])
  })

  test('of a manifest, a symlink from a remote without times', () => {
    const { records } = scanAll('manifest', [manifestRecords(['+l 3 - 0 0 1 - - - link\0../x\0'])])
    expect(records).toMatchObject([
      { fate: '+', kind: 'l', mtime: undefined, identity: '0 0', path: 'link', name: 'link', target: '../x' },
    ])
  })

  test.each([
    ['-2.5000000000', -2],
    ['0.0000000001', 0],
    ['0.0000000010', 0],
    ['4000000000.0000000000', 4_000_000_000],
    ['17', 17],
  ])('changed at %s', (text, mtime) => {
    expect(scanAll('listing', [bytes(`f 0 ${text} 1 1 1 644 0 0 x\0\0`)]).records).toMatchObject([{ mtime }])
  })

  test('of 8 PiB, with an inode beyond what a number holds', () => {
    const inode = '18446744073709551615'
    const { records } = scanAll('listing', [bytes(`f 9007199254740991 - 1 ${inode} 1 644 0 0 x\0\0`)])
    expect(records).toMatchObject([{ size: Number.MAX_SAFE_INTEGER, identity: `1 ${inode}` }])
  })
})

describe('what is no record', () => {
  const good = 'f 1 - 0 0 1 - - - x\0\0'

  test.each([
    ['a size that is no number', 'f 1x - 0 0 1 - - - x\0\0'],
    ['a time that is none', 'f 1 yesterday 0 0 1 - - - x\0\0'],
    ['a field too few', 'f 1 - 0 0 1 x\0\0'],
    ['an empty field', 'f  1 - 0 0 1 - - - x\0\0'],
    ['no path', 'f 1 - 0 0 1 - - - \0\0'],
    ['something else', 'find: no such thing'],
  ])('%s: malformed, with its place', (_, bad) => {
    const { records, fault } = scanAll('listing', [bytes(good + bad)])
    expect(records).toHaveLength(1)
    expect(fault).toEqual({ offset: good.length, reason: 'malformed' })
  })

  test('cut off: truncated, with its place', () => {
    for (let length = 1; length < good.length; length++) {
      const { records, fault } = scanAll('listing', [bytes(good), bytes(good.slice(0, length))])
      expect(records).toHaveLength(1)
      expect(fault).toEqual({ offset: good.length, reason: 'truncated' })
    }
  })

  test('never ends: given up on instead of kept', () => {
    const endless = Array.from({ length: 40 }, () => Buffer.alloc(65_536, 'x'))
    const { fault } = scanAll('listing', [bytes('f 1 - 0 0 1 - - - '), ...endless])
    expect(fault).toEqual({ offset: 0, reason: 'malformed' })
  })
})

const name = fc
  .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 40 })
  .map((raw) => Buffer.from(raw).toString('latin1'))

const record = fc.record({
  fate: fc.constantFrom('+', '~', '?', '=', '-', '!'),
  kind: fc.constantFrom('f', 'd', 'l', 'p'),
  size: fc.maxSafeNat(),
  mtime: fc.option(fc.tuple(fc.integer({ min: -1e9, max: 5e9 }), fc.nat({ max: 999_999_999 })), {
    nil: undefined,
  }),
  links: fc.nat(),
  path: name,
  target: fc.oneof(fc.constant(''), name),
})

test('the same records come out, wherever the chunks are cut and whatever bytes names hold', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), fc.array(fc.nat({ max: 60 })), (entries, cuts) => {
      const text = entries.map(({ fate, kind, size, mtime, links, path, target }) => {
        const [seconds, nanos] = mtime ?? []
        const time = mtime === undefined ? '-' : `${seconds ?? 0}.${String(nanos).padStart(9, '0')}0`
        return `${fate}${kind} ${size} ${time} 7 8 ${links} 644 0 0 ${path}\0${target}\0`
      })
      const whole = manifestRecords(text)
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) chunks.push(whole.subarray(at, (at += cut)))
      chunks.push(whole.subarray(at))
      const { records, fault } = scanAll('manifest', chunks)
      expect(fault).toBeUndefined()
      const expected: Shown[] = entries.map((entry) => ({
        ...entry,
        mtime: entry.mtime?.[0],
        identity: '7 8',
        name: entry.path.slice(entry.path.lastIndexOf('/') + 1),
      }))
      expect(records).toEqual(expected)
    }),
  )
})
