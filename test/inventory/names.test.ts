import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasImpossibleSegment, holdsReplacement, isTooLong, isUtf8 } from '../../src/inventory/names.ts'
import { createRemoteIndex } from '../../src/inventory/remote-index.ts'
import { viewOf } from './records.ts'

test('valid UTF-8 is what a strict decoder takes', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const byte = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.integer({ min: 0x80, max: 0xbf }),
    fc.constantFrom(0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff),
  )
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 6 }), (list) => {
      const raw = Buffer.from(list)
      let isValid = true
      try {
        decoder.decode(raw)
      } catch {
        isValid = false
      }
      expect(isUtf8(raw, 0, raw.length)).toBe(isValid)
    }),
    { numRuns: 2000 },
  )
})

test.each(['/abs', 'a//b', 'a/', '.', '..', './z', 'a/../b', 'a/.', '//'])('no disk holds %s', (path) => {
  expect(hasImpossibleSegment(viewOf({ path }))).toBe(true)
})

test.each(['a', 'a/b', '...', '.a', 'a/..b', 'a./b', '. ', '-'])('a disk holds %s', (path) => {
  expect(hasImpossibleSegment(viewOf({ path }))).toBe(false)
})

test("rclone's mark for a name it could not read", () => {
  const raw = (text: string): string => Buffer.from(text).toString('latin1')
  expect(holdsReplacement(viewOf({ path: raw('bad\ufffd') }))).toBe(true)
  expect(holdsReplacement(viewOf({ path: raw('é') }))).toBe(false)
})

test('a path is too long together with what it stands below', () => {
  const view = viewOf({ path: 'x'.repeat(4000) })
  expect(isTooLong(view, 94)).toBe(false)
  expect(isTooLong(view, 95)).toBe(true)
})

test('an index of a remote finds what was put in, and nothing else', () => {
  const index = createRemoteIndex()
  const count = 50_000
  for (let at = 0; at < count; at++)
    index.add(viewOf({ path: `d${at % 100}/f${at}`, size: at, mtime: at % 2 === 0 ? '-' : `${at}.5` }))
  index.add(viewOf({ path: 'd1', kind: 'd' }))
  expect(index.count).toBe(count + 1)
  for (let at = 0; at < count; at += 7) {
    const name = Buffer.from(`d${at % 100}/f${at}`)
    const slot = index.find(name, 0, name.length)
    expect([index.size(slot), index.hasMtime(slot)]).toEqual([at, at % 2 === 1])
    const other = Buffer.from(`d${at % 100}/g${at}`)
    expect(index.find(other, 0, other.length)).toBe(-1)
  }
  expect(index.find(Buffer.from('d'), 0, 1, Buffer.from('1'))).toBeGreaterThanOrEqual(0)
})
