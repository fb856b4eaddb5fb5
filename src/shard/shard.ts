/** Units and shards: what is moved together, as data. */

/** Cost is seconds of work of one worker, from assumed rates; it balances shards and gives the estimate. */
export interface CostModel {
  readonly secondsPerByte: number
  readonly secondsPerFile: number
}

/** One shard as the preview and the graph see it; its entries stand in its list files. */
export interface Shard {
  /** `00007`: five digits at least, in descending cost. */
  readonly id: string
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  readonly bytes: number
  readonly costSeconds: number
  readonly units: number
  /** Holds members of hard-link groups, so the tool is told to keep them. */
  readonly hasHardLinks: boolean
}

export interface ShardPolicy {
  readonly cost: CostModel
  /** Workers at most. */
  readonly workers: number
  /** Aim: this many shards per worker, none cheaper than `shardSecondsMin`. */
  readonly shardsPerWorker: number
  readonly shardSecondsMin: number
}

/** How even the shards are, and what stands in the way. */
export interface Balance {
  readonly meanSeconds: number
  readonly maxSeconds: number
  /** max / mean, 1 for no shards. */
  readonly ratio: number
  /** Path (latin1 bytes) and size of the one file that is costlier than the mean shard, if any. */
  readonly dominant?: { readonly path: string; readonly sizeBytes: number }
  /** The one directory that is costlier than the mean shard and can not be divided, if the tool takes no lists of files. */
  readonly undivided?: { readonly path: string; readonly files: number; readonly sizeBytes: number }
}
