import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quote, quoteArray } from '../../src/script/quote.ts'
import { Bug } from '../../src/units.ts'

/** What bash hands to a program for each word. */
async function throughBash(words: readonly string[]): Promise<readonly string[]> {
  const script = `words=${quoteArray(words)}; printf '%s\\0' "\${words[@]}" ${words.map(quote).join(' ')}`
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { encoding: 'utf8' })
  return stdout.split('\0').slice(0, -1)
}

describe('quote', () => {
  test('bash sees exactly the text, alone and in an array', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.integer({ min: 1, max: 0xff }).map((code) => String.fromCharCode(code)) }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', '$', '`', '!', '*', '~', '=', '#', '-', ' ') }),
    )
    const words = fc.array(
      word.map((text) => Buffer.from(text.replaceAll('\0', '')).toString()),
      { minLength: 1, maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(words, async (list) => {
        expect(await throughBash(list)).toEqual([...list, ...list])
      }),
      { numRuns: 60 },
    )
  })

  test('plain words stay bare, so that a person can read the script', () => {
    expect(quote('/shared/data-2/file_1.tar')).toBe('/shared/data-2/file_1.tar')
    expect(quote('--transfers=32')).toBe('--transfers=32')
    expect(quote('a=b=c')).toBe('a=b=c')
    expect(quote('')).toBe("''")
    expect(quote('~')).toBe("'~'")
    expect(quote('=ls')).toBe("'=ls'")
    expect(quote("it's")).toBe(`'it'\\''s'`)
  })

  test('a NUL is our own mistake', () => {
    expect(() => quote('a\0b')).toThrow(Bug)
  })
})
