/** Hashes of raw bytes: where an entry goes must not depend on when the listing told of it. */

/** FNV-1a over `buffer[start..end)`, then mixed so that the upper bits depend on every byte: 32 bits, unsigned. */
export function hashBytes(buffer: Uint8Array, start: number, end: number, seed = 0x811c9dc5): number {
  let hash = seed
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The same with 53 bits, to tell single files apart: two of a million share one with a chance of 1 in 18,000. */
export function wideHash(buffer: Uint8Array, start: number, end: number): number {
  const low = hashBytes(buffer, start, end, 0x9747b28c) >>> 11
  return hashBytes(buffer, start, end) * 2 ** 21 + low
}

/** The first `bits` bits of a 32-bit hash, as a number below 2^bits. */
export function prefix(hash: number, bits: number): number {
  return bits === 0 ? 0 : hash >>> (32 - bits)
}
