/** Random sources for properties: skewed trees with links of both kinds, made from one seed each. */

import fc from 'fast-check'
import type { TestEntry } from './entries.ts'

export interface Shape {
  readonly seed: number
  readonly directories: number
  readonly files: number
  readonly symlinks: number
  readonly linkGroups: number
  /** Share of the files that stand in one directory, 0 to 1. */
  readonly flatShare: number
  /** Sizes are from 0 to this, the small ones more often the larger `skew` is. */
  readonly sizeMax: number
  readonly skew: number
}

export const shapes = fc.record({
  seed: fc.integer(),
  directories: fc.integer({ min: 0, max: 40 }),
  files: fc.integer({ min: 0, max: 400 }),
  symlinks: fc.integer({ min: 0, max: 20 }),
  linkGroups: fc.integer({ min: 0, max: 20 }),
  flatShare: fc.constantFrom(0, 0.3, 0.9, 1),
  sizeMax: fc.constantFrom(0, 1, 1000, 10 ** 12),
  skew: fc.constantFrom(1, 3, 20),
})

/** mulberry32: a number from 0 to 1 per call, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Paths are unique; directories come in no particular place, so that some are named by their files first. */
export function sourceOf(shape: Shape): TestEntry[] {
  const random = randomFrom(shape.seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const places = ['']
  for (let made = 0; made < shape.directories; made++)
    places.push(`${places[below(places.length)] ?? ''}d${made}/`)
  const entries: TestEntry[] = places
    .slice(1)
    .map((place) => ({ path: place.slice(0, -1), kind: 'd', fate: random() < 0.9 ? '+' : '=' }))
  const flat = places[below(places.length)] ?? ''
  const place = (): string => (random() < shape.flatShare ? flat : (places[below(places.length)] ?? ''))
  const size = (): number => Math.floor(random() ** shape.skew * shape.sizeMax)
  for (let made = 0; made < shape.files; made++)
    entries.push({ path: `${place()}f${made}`, size: size(), fate: '+~?=-!'[below(12)] ?? '+' })
  for (let made = 0; made < shape.symlinks; made++)
    entries.push({ path: `${place()}l${made}`, kind: 'l', size: 7, target: 'nowhere' })
  for (let group = 0; group < shape.linkGroups; group++) {
    const bytes = size()
    const names = 2 + below(4)
    for (let name = 0; name < names; name++)
      entries.push({ path: `${place()}h${group}.${name}`, size: bytes, inode: group + 1, links: names })
  }
  return shuffled(entries, random)
}

export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const held = result[last]
    const moved = result[other]
    if (held !== undefined && moved !== undefined) {
      result[last] = moved
      result[other] = held
    }
  }
  return result
}
