import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { runListings, type ListingPart } from '../../src/edge/listing-queue.ts'

const MiB = 2 ** 20

function part(script: string): ListingPart {
  return { argv: ['bash', '-c', script], partialCode: 1, readError: (line) => line }
}

const common = { env: { PATH: process.env['PATH'] ?? '' }, signal: new AbortController().signal, atOnce: 3 }

/** So many MiB of records that are one letter and a NUL. */
const say = (letter: string, size: number): string =>
  `yes ${letter} | tr '\\n' '\\0' | head -c ${String(size * MiB)}`

describe('several listings at once', () => {
  test('are shown in their order, while what waits is bounded and nobody waits for ever', async () => {
    const letters = ['a', 'b', 'c', 'd', 'e']
    let order = ''
    let bytes = 0
    const before = process.memoryUsage().arrayBuffers
    let waiting = 0
    const listed = await runListings(
      letters.map((letter) =>
        part(`${letter === 'a' ? 'sleep 1; ' : ''}${say(letter, 24)}; echo ${letter} >&2`),
      ),
      {
        ...common,
        async onChunk(chunk) {
          if (bytes === 0) waiting = process.memoryUsage().arrayBuffers - before
          bytes += chunk.length
          const letter = String.fromCharCode(chunk[0] === 0 ? (chunk[1] ?? 0) : (chunk[0] ?? 0))
          if (!order.endsWith(letter)) order += letter
          if (bytes % 7 === 0) await setTimeout(1)
        },
      },
    )
    expect(order).toBe('abcde')
    expect(bytes).toBe(5 * 24 * MiB)
    expect(waiting).toBeLessThan(32 * MiB)
    expect(listed).toEqual({ errors: { count: 5, lines: letters }, broken: undefined })
  })

  test('of none there is nothing to show', async () => {
    const listed = await runListings([], { ...common, onChunk: () => undefined })
    expect(listed).toEqual({ errors: { count: 0, lines: [] }, broken: undefined })
  })

  test('end with whoever takes their chunks', async () => {
    const parts = [part(say('a', 1)), part('exec sleep 60')]
    const taken = runListings(parts, {
      ...common,
      onChunk() {
        throw new Error('no more')
      },
    })
    await expect(taken).rejects.toThrow('no more')
  })

  test('nothing is shown behind half a record', async () => {
    let text = ''
    const parts = [part(`printf 'a\\0b'`), part(`printf 'c\\0'`)]
    const listed = await runListings(parts, {
      ...common,
      onChunk(chunk) {
        text += chunk.toString()
        return undefined
      },
    })
    expect(text).toBe('a\0b')
    expect(listed.broken).toBeUndefined()
  })
})
