/** Largest first, each into the lightest shard so far. */

/** Shards by load, the lightest on top; equal loads by number, so that the result never depends on luck. */
class LightestFirst {
  readonly loads: Float64Array
  private readonly heap: Int32Array

  constructor(count: number) {
    this.loads = new Float64Array(count)
    this.heap = Int32Array.from({ length: count }, (_, shard) => shard)
  }

  get lightest(): number {
    return this.heap[0] ?? 0
  }

  /** Puts `load` on the lightest shard and lets it sink to its place. */
  addToLightest(load: number): void {
    const { heap, loads } = this
    const shard = this.lightest
    loads[shard] = (loads[shard] ?? 0) + load
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && this.isBefore(heap[right] ?? 0, heap[left] ?? 0) ? right : left
      if (!this.isBefore(heap[child] ?? 0, shard)) break
      heap[at] = heap[child] ?? 0
      at = child
    }
    heap[at] = shard
  }

  private isBefore(one: number, other: number): boolean {
    const difference = (this.loads[one] ?? 0) - (this.loads[other] ?? 0)
    return difference < 0 || (difference === 0 && one < other)
  }
}

/**
 * Shard number per unit, for `costs` in seconds, already in descending order. The heaviest shard is at most the
 * mean plus the largest unit: when a unit went in, its shard was the lightest, so not above the mean.
 */
export function packLargestFirst(costs: Float64Array, count: number): Int32Array {
  const shards = new LightestFirst(count)
  const shardOfUnit = new Int32Array(costs.length)
  for (let unit = 0; unit < costs.length; unit++) {
    shardOfUnit[unit] = shards.lightest
    shards.addToLightest(costs[unit] ?? 0)
  }
  return shardOfUnit
}
