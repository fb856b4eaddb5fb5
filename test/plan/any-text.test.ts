/** No text whatever makes the reading of a plan throw, and what it says about it is sound. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { read, wholePlan } from './fixtures.ts'

describe('any text', () => {
  /** Every diagnostic stands inside the text, in the order of the file, and says what to do. */
  function expectSound(text: string): void {
    const result = read(text)
    const diagnostics = result.ok ? result.value.warnings : result.error
    if (!result.ok) expect(diagnostics.some(({ severity }) => severity === 'error')).toBe(true)
    let before = 0
    for (const { at, todo, what } of diagnostics) {
      expect(at).toBeDefined()
      const { start = -1, end = -1 } = at ?? {}
      expect(start).toBeGreaterThanOrEqual(before)
      expect(end).toBeGreaterThanOrEqual(start)
      expect(end).toBeLessThanOrEqual(text.length)
      expect(todo).not.toBe('')
      expect(what).not.toMatch(/undefined|\[object/)
      expect(todo).not.toMatch(/undefined|\[object/)
      before = start
    }
  }

  const snippet = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(
      ...Array.from('{}[]:,-#&*!|>\'"%@`~\t\n \r\\$'),
      '${',
      '${x}',
      '*a',
      '&a ',
      '!!binary ',
      '---\n',
      '...\n',
      '<<: ',
      '? ',
      '\ufeff',
      '__proto__: ',
      'constructor: ',
      'null',
      '.inf',
      '.nan',
      '0o7',
      '1e999',
      '\ud800',
    ),
  )

  test('a valid plan with random edits', () => {
    const edit = fc.record({ at: fc.nat(wholePlan.length), cut: fc.nat(30), put: snippet })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = wholePlan
        for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut)
        expectSound(text)
      }),
      { numRuns: 300 },
    )
  })

  test('values of every type in every field', () => {
    const lines = wholePlan.split('\n')
    const value = fc.oneof(
      fc.constantFrom(
        'x',
        '3',
        '-1',
        'true',
        'null',
        '',
        '[]',
        '{}',
        '[1, {a: b}]',
        '{ type: rclone }',
        '"\\0"',
      ),
      fc.json(),
    )
    fc.assert(
      fc.property(fc.nat(lines.length - 1), value, (index, put) => {
        const changed = lines.map((line, i) => (i === index ? line.replace(/: .*$|:$/, `: ${put}`) : line))
        expectSound(changed.join('\n'))
      }),
      { numRuns: 300 },
    )
  })

  test('text that is no plan at all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectSound), { numRuns: 300 })
  })

  test.each([
    ['flow maps', '{'.repeat(50_000)],
    ['lists', '- '.repeat(50_000)],
    ['keys', Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['explicit keys', '? '.repeat(50_000)],
    ['aliases', `a: &a [${'*a, '.repeat(1000)}]`],
    ['an empty item of a list', 'transfers: { a: { after: [x,,] } }\nenvironment: { pass:\n  -\n  - \n}'],
    ['an empty item at the end', 'environment:\n  pass:\n    -'],
    ['an anchor on itself', 'transfers: &t { a: *t }'],
  ])('deep and circular: %s', (_, text) => {
    expectSound(text)
  })
})
