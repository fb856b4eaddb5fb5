/** Settings that aws takes from its configuration file alone: how many requests, how large the parts, how fast. */

import type { Transfer } from '../plan/plan.ts'

/** Its own default is 8 MiB for both: 8 requests for each 64 MiB, where 2 do. It makes parts larger before there are 10,000. */
const PARTS = { multipart_threshold: '64MB', multipart_chunksize: '32MB' } as const

export interface AwsTuning {
  readonly transfer: Transfer
  readonly requestsAtOnce: number
  /** What the places bear; the plan's own number gives way to it. */
  readonly requestsMax?: number
  /** Bytes per second. */
  readonly bandwidthPerWorker?: number
}

/** `s3.NAME=VALUE`, for `aws configure set`. */
export function awsSettings({
  transfer,
  requestsAtOnce,
  requestsMax = Infinity,
  bandwidthPerWorker,
}: AwsTuning): readonly string[] {
  const written = transfer.options.aws ?? {}
  const asked = written['max_concurrent_requests']
  const settings: Record<string, string | number | boolean> = {
    ...PARTS,
    ...Object.fromEntries(Object.entries(written).map(([name, value]) => [name, sizeOf(value)])),
    max_concurrent_requests: Math.max(
      1,
      Math.min(typeof asked === 'number' ? asked : requestsAtOnce, requestsMax),
    ),
    ...(bandwidthPerWorker === undefined
      ? {}
      : { max_bandwidth: `${Math.max(1, Math.floor(bandwidthPerWorker / 1024))}KB/s` }),
  }
  return Object.entries(settings).map(([name, value]) => `s3.${name}=${String(value)}`)
}

const POWERS: Readonly<Record<string, number>> = { B: 0, K: 1, M: 2, G: 3, T: 4, P: 5 }

/** aws reads whole numbers only, so that a size becomes one of bytes. */
function sizeOf(value: string | number | boolean): string | number | boolean {
  const [, digits, unit] = /^([\d.]+)([BKMGTP])i?$/.exec(String(value)) ?? []
  if (digits === undefined || unit === undefined) return value
  return Math.floor(Number(digits) * 1024 ** (POWERS[unit] ?? 0))
}
