import { expect, test } from 'vitest'
import { assumedRates, costModel, costOf, ratesOf } from '../../src/shard/cost.ts'
import { shardCount } from '../../src/shard/count.ts'
import type { ShardPolicy } from '../../src/shard/shard.ts'

const policy = (workers: number): ShardPolicy => ({
  cost: costModel(assumedRates.rclone.disks),
  workers,
  shardsPerWorker: 8,
  shardSecondsMin: 60,
})

test.each([
  { of: 'a long transfer', seconds: 100_000, entries: 1_000_000, workers: 4, shards: 32 },
  { of: 'a transfer of minutes', seconds: 601, entries: 1_000_000, workers: 4, shards: 10 },
  { of: 'a small transfer', seconds: 59, entries: 1_000_000, workers: 4, shards: 1 },
  { of: 'three large files', seconds: 100_000, entries: 3, workers: 4, shards: 3 },
  { of: 'directories alone', seconds: 100_000, entries: 0, workers: 4, shards: 1 },
  { of: 'nothing', seconds: 0, entries: 0, workers: 4, shards: 1 },
  { of: 'more workers than any cluster has', seconds: 1e9, entries: 1e9, workers: 100_000, shards: 8192 },
])('$of: $shards shards', ({ seconds, entries, workers, shards }) => {
  expect(shardCount(seconds, entries, policy(workers))).toBe(shards)
})

test('a terabyte in a thousand files is bound by bytes, a million small files by their number', () => {
  const local = { kind: 'local', path: '/a' } as const
  const cost = costModel(ratesOf('rclone', local, local))
  expect(costOf(cost, 1e12, 1000)).toBeCloseTo(1000.5)
  expect(costOf(cost, 1e9, 1_000_000)).toBeCloseTo(501)
})

test('a remote at either end makes small files dearer', () => {
  const local = { kind: 'local', path: '/a' } as const
  const bucket = { kind: 'rclone', endpoint: 'store', remote: 'store', path: 'b' } as const
  expect(ratesOf('rclone', bucket, local)).toEqual(assumedRates.rclone.remote)
  expect(ratesOf('rclone', local, bucket)).toEqual(assumedRates.rclone.remote)
})
