import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseFailed, parseMark } from '../../src/run/mark.ts'

const whole = [
  'soxplan-end 1',
  'shard 00007',
  'attempt 2',
  'result done',
  'exit 0',
  'files 120',
  'bytes 4096',
  'failed 3',
  'seconds 12',
  'by 0.0.n1.42.17000000001',
  'when 1700000000',
  'end 00007.2',
  '',
].join('\n')

test('a whole verdict is read', () => {
  expect(parseMark(whole, '00007', 2)).toEqual({
    shard: '00007',
    attempt: 2,
    result: 'done',
    exitCode: 0,
    files: 120,
    bytes: 4096,
    failed: 3,
    seconds: 12,
    by: '0.0.n1.42.17000000001',
  })
})

test('a verdict that is cut anywhere, extended, foreign or of another attempt proves nothing', () => {
  for (let length = 0; length < whole.length; length++)
    expect(parseMark(whole.slice(0, length), '00007', 2)).toBeUndefined()
  expect(parseMark(`${whole}x`, '00007', 2)).toBeUndefined()
  expect(parseMark(whole, '00008', 2)).toBeUndefined()
  expect(parseMark(whole, '00007', 1)).toBeUndefined()
  expect(parseMark(whole.replace('result done', 'result fine'), '00007', 2)).toBeUndefined()
  expect(parseMark('\0'.repeat(whole.length), '00007', 2)).toBeUndefined()
})

test('no change of one character makes another result or attempt out of it', () => {
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const mark = parseMark(whole.slice(0, at) + character + whole.slice(at + 1), '00007', 2)
      return mark === undefined || (mark.result === 'done' && mark.attempt === 2)
    }),
  )
})

test('failed names keep every byte, newlines and spaces included', () => {
  const content = Buffer.concat([
    Buffer.from('vanished ./a b\nc\0'),
    Buffer.from('changed ./'),
    Buffer.from([0xff, 0x20, 0]),
    Buffer.from('no-space ./x\0'),
  ])
  expect(parseFailed(content)).toEqual([
    { failure: 'vanished', path: 'a b\nc' },
    { failure: 'changed', path: '\xff ' },
    { failure: 'no-space', path: 'x' },
  ])
})
