/** Which directories a shard needs at the destination: those its entries stand in or are, and all above them. */

import type { DirectoryTree } from '../inventory/tree.ts'

const none = -1

/**
 * Most directories serve one shard, which takes one number; only those of several shards get a bit per shard.
 * Memory: eight bytes a directory, and `shardCount / 8` bytes for each that is split.
 */
export class ShardPlaces {
  private readonly only: Int32Array
  private readonly sharedIndex: Int32Array
  private readonly shared: { readonly row: number; readonly bits: Uint8Array }[] = []
  private readonly tree: DirectoryTree
  private readonly shardCount: number

  constructor(tree: DirectoryTree, shardCount: number) {
    this.tree = tree
    this.shardCount = shardCount
    this.only = new Int32Array(tree.count).fill(none)
    this.sharedIndex = new Int32Array(tree.count).fill(none)
  }

  /** An entry of `shard` stands in the directory `row`, or is it. */
  add(shard: number, row: number): void {
    const only = this.only[row]
    if (only === shard) return
    if (only === none) this.only[row] = shard
    else this.share(shard, row)
  }

  private share(shard: number, row: number): void {
    let index = this.sharedIndex[row] ?? none
    if (index === none) {
      index = this.shared.push({ row, bits: new Uint8Array(Math.ceil(this.shardCount / 8)) }) - 1
      this.sharedIndex[row] = index
    }
    const bits = this.shared[index]?.bits ?? new Uint8Array(0)
    bits[shard >> 3] = (bits[shard >> 3] ?? 0) | (1 << (shard & 7))
  }

  /** Rows per shard, in the order of the shards; the source itself is never among them. Each once. */
  *perShard(): Generator<readonly number[]> {
    const { starts, rows } = this.rowsOfOne()
    const seenBy = new Int32Array(this.tree.count).fill(none)
    for (let shard = 0; shard < this.shardCount; shard++) {
      const found: number[] = []
      const climb = (from: number): void => {
        for (let row = from; row > 0 && seenBy[row] !== shard; row = this.tree.parent(row)) {
          seenBy[row] = shard
          found.push(row)
        }
      }
      for (let at = starts[shard] ?? 0; at < (starts[shard + 1] ?? 0); at++) climb(rows[at] ?? 0)
      for (const { row, bits } of this.shared)
        if (((bits[shard >> 3] ?? 0) & (1 << (shard & 7))) !== 0) climb(row)
      yield found
    }
  }

  /** The rows noted in `only`, sorted by shard: those of shard `n` are `rows[starts[n]..starts[n + 1])`. */
  private rowsOfOne(): { starts: Int32Array; rows: Int32Array } {
    const starts = new Int32Array(this.shardCount + 1)
    for (const shard of this.only) if (shard !== none) starts[shard + 1] = (starts[shard + 1] ?? 0) + 1
    for (let shard = 0; shard < this.shardCount; shard++)
      starts[shard + 1] = (starts[shard + 1] ?? 0) + (starts[shard] ?? 0)
    const next = starts.slice()
    const rows = new Int32Array(starts[this.shardCount] ?? 0)
    for (const [row, shard] of this.only.entries()) {
      if (shard === none) continue
      const at = next[shard] ?? 0
      rows[at] = row
      next[shard] = at + 1
    }
    return { starts, rows }
  }
}
