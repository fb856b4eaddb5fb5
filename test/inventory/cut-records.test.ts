import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCutter } from '../../src/inventory/cut-records.ts'
import { scanAll } from './records.ts'

const record = fc
  .tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }).filter((path) => !path.includes(0)),
    fc.uint8Array({ maxLength: 20 }).filter((target) => !target.includes(0)),
  )
  .map(([path, target]) =>
    Buffer.concat([Buffer.from('l 3 - 0 0 1 - - - '), path, Buffer.of(0), target, Buffer.of(0)]),
  )

test('pieces of whole records, in order and complete, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 30 }),
      fc.array(fc.nat(200), { maxLength: 30 }),
      fc.nat(21),
      (records, lengths, cut) => {
        const whole = Buffer.concat(records)
        // The last record may be torn, by a find that was killed.
        const listing = whole.subarray(0, Math.max(0, whole.length - cut))
        const cutter = createCutter()
        const pieces: Buffer[] = []
        let at = 0
        for (const length of [...lengths, listing.length]) {
          pieces.push(cutter.push(listing.subarray(at, at + length)))
          at += length
        }
        for (const piece of pieces) expect(scanAll('listing', [piece]).fault).toBeUndefined()
        expect(Buffer.concat([...pieces, cutter.rest()]).equals(listing)).toBe(true)
        expect(cutter.rest().length).toBeLessThan(100)
      },
    ),
  )
})

test('what never ends is handed on, not kept', () => {
  const cutter = createCutter()
  const endless = Buffer.alloc(700 * 1024, 'x')
  expect(cutter.push(endless).length).toBe(0)
  expect(cutter.push(endless).length).toBe(2 * endless.length)
})
