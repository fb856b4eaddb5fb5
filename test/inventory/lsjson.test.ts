import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLsjsonReader, mtimeText } from '../../src/inventory/lsjson.ts'
import { scanAll } from './records.ts'

function read(chunks: readonly string[]): { records: string; complete: boolean } {
  const reader = createLsjsonReader()
  let records = ''
  for (const chunk of chunks) {
    const out = reader.push(Buffer.from(chunk))
    if ('badLine' in out) return { records: `line ${out.badLine}`, complete: reader.isComplete() }
    records += out.records.toString('utf8')
  }
  return { records, complete: reader.isComplete() }
}

const listing = `[
{"Path":"a","Name":"a","Size":-1,"ModTime":"","IsDir":true},
{"Path":"a/f\\u240a2 \\"é\\"","Name":"x","Size":12,"ModTime":"2026-11-22T21:57:16.207864754Z","IsDir":false},
{"Path":"doc","Name":"doc","Size":-1,"ModTime":"","IsDir":false}
]
`

describe('the output of rclone lsjson', () => {
  test('becomes records that the scanner reads', () => {
    const { records, complete } = read([listing])
    expect(complete).toBe(true)
    expect(records).toBe(
      'd 0 - 0 0 1 - - - a\0\0' +
        'f 12 1795384636.2078647540 0 0 1 - - - a/f␊2 "é"\0\0' +
        'U 0 - 0 0 1 - - - doc\0\0',
    )
    expect(scanAll('listing', [Buffer.from(records)]).records).toHaveLength(3)
  })

  test('cut anywhere', () => {
    const whole = Buffer.from(listing)
    const { records } = read([listing])
    fc.assert(
      fc.property(fc.nat({ max: whole.length }), (cut) => {
        const reader = createLsjsonReader()
        const parts = [whole.subarray(0, cut), whole.subarray(cut)].map((part) => reader.push(part))
        const text = parts.map((part) => ('records' in part ? part.records.toString() : '!')).join('')
        expect(text).toBe(records)
        expect(reader.isComplete()).toBe(true)
      }),
    )
  })

  test('of an empty remote', () => {
    expect(read(['[\n]\n'])).toEqual({ records: '', complete: true })
  })

  test('without its end is not complete', () => {
    expect(read([listing.slice(0, -2)]).complete).toBe(false)
  })

  test.each([
    ['no JSON', '[\noops\n'],
    ['no path', '[\n{"Size":1,"ModTime":"","IsDir":false}\n'],
    ['a path with a NUL', '[\n{"Path":"a\\u0000b","Size":1,"ModTime":"","IsDir":false}\n'],
  ])('%s: the line is named', (_, text) => {
    expect(read([text]).records).toBe('line 2')
  })
})

test.each([
  ['2026-11-22T21:57:16Z', '1795384636.0000000000'],
  ['2026-11-22T22:57:16.5+01:00', '1795384636.5000000000'],
  ['1969-12-31T23:59:58.500000000Z', '-2.5000000000'],
  ['', '-'],
  ['soon', '-'],
])('the time %j is %s', (text, expected) => {
  expect(mtimeText(text)).toBe(expected)
})
