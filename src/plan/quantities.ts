/** Durations and rates as a plan writes them. Their form was checked by the schema. */

import { bytesPerSecond, seconds, type BytesPerSecond, type Seconds } from '../units.ts'

/**
 * Slurm's grammar (`man sbatch`, --time): `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
 * `days-hours:minutes`, `days-hours:minutes:seconds`. A number counts minutes. Undefined for zero, which Slurm would
 * take for "no limit", and for any other form.
 */
export function parseDuration(written: string | number): Seconds | undefined {
  const form = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(String(written))
  if (form === null) return undefined
  const [days, first, second, third] = form
    .slice(1)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)))
  let total: number
  if (days !== undefined) total = days * 86_400 + (first ?? 0) * 3600 + (second ?? 0) * 60 + (third ?? 0)
  else if (third !== undefined) total = (first ?? 0) * 3600 + (second ?? 0) * 60 + third
  else total = (first ?? 0) * 60 + (second ?? 0)
  return total > 0 ? seconds(total) : undefined
}

const scales: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  ki: 2 ** 10,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** Tools count their limits in KiB/s: less than one could not be told them. */
export const MIN_BANDWIDTH = 1024

/** `10Gbit/s`, `1.2GiB/s`. Undefined below `MIN_BANDWIDTH` and for any other form. */
export function parseBandwidth(written: string): BytesPerSecond | undefined {
  const form = /^(\d+(?:\.\d+)?) ?([kKMGT]i?|)(bit|B)\/s$/.exec(written)
  if (form === null) return undefined
  const [, number, scale, unit] = form
  const rate = (Number(number) * (scales[scale ?? ''] ?? 1)) / (unit === 'bit' ? 8 : 1)
  return rate >= MIN_BANDWIDTH ? bytesPerSecond(rate) : undefined
}

/** `10%` and `2.5%` as 0.1 and 0.025. */
export function parseShare(written: string): number {
  return Number(written.replace('%', '')) / 100
}
