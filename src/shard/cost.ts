/** What moving an entry costs, in seconds of one worker, until rates have been measured. */

import type { Location, ToolName } from '../plan/plan.ts'
import { Bug } from '../units.ts'
import type { CostModel } from './shard.ts'

/** What one worker does in a second. The preview prints these as *assumed*. */
export interface Rates {
  readonly bytesPerSecond: number
  readonly filesPerSecond: number
}

/** A copy between two mounted file systems, or one with a remote at an end. */
export type Reach = 'disks' | 'remote'

/**
 * Bytes: about 1 GB/s a node is what operators of such clusters expect of rclone and what their guides state; one
 * rsync is one stream, so half of that. Small files: on a RAM disk one rclone made 14,000 a second and one rsync
 * 40,000 (200,000 files of 1 kB, two cores); a shared file system answers each create, write and close over the
 * network, so a seventh of both. A remote answers in about 30 ms, and 32 transfers wait at a time. One aws needs two to
 * three times as long as one rclone, and a worker has four.
 */
export const assumedRates: Readonly<Record<ToolName, Readonly<Record<Reach, Rates>>>> = {
  rclone: {
    disks: { bytesPerSecond: 1e9, filesPerSecond: 2000 },
    remote: { bytesPerSecond: 1e9, filesPerSecond: 1000 },
  },
  rsync: {
    disks: { bytesPerSecond: 5e8, filesPerSecond: 5000 },
    remote: { bytesPerSecond: 5e8, filesPerSecond: 5000 },
  },
  aws: {
    disks: { bytesPerSecond: 5e8, filesPerSecond: 500 },
    remote: { bytesPerSecond: 5e8, filesPerSecond: 500 },
  },
}

/** The rates assumed for one worker of `tool` between these places. */
export function ratesOf(tool: ToolName, from: Location, to: Location): Rates {
  return assumedRates[tool][from.kind === 'local' && to.kind === 'local' ? 'disks' : 'remote']
}

/** @throws Bug when a rate is not a positive finite number: an entry that costs nothing could not be balanced. */
export function costModel(rates: Rates): CostModel {
  const { bytesPerSecond, filesPerSecond } = rates
  if (!(bytesPerSecond > 0 && filesPerSecond > 0)) throw new Bug(`not rates: ${JSON.stringify(rates)}`)
  return { secondsPerByte: 1 / bytesPerSecond, secondsPerFile: 1 / filesPerSecond }
}

/**
 * Seconds for this many bytes in this many entries. Symlinks and directories count like empty files: each is one
 * thing to make. From whole sums only, so that the order in which they were added up does not show.
 */
export function costOf(cost: CostModel, bytes: number, entries: number): number {
  return bytes * cost.secondsPerByte + entries * cost.secondsPerFile
}
