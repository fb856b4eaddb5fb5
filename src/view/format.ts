/** Quantities as people read them. One place, so that a number looks the same wherever it stands. */

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `0 B`, `512 B`, `1.5 KiB`, `84.3 TiB`. */
export function formatBytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 1023.95 && unit < binaryUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${binaryUnits[unit] ?? ''}`
}

/** Whole numbers up to 999,999 with separators, then `1.2 M`. */
export function formatCount(count: number): string {
  if (count >= 999_999_500) return `${(count / 1e9).toFixed(1)} G`
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 file`, `2,000 files`. */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** `0s`, `59s`, `1m30s`, `2h05m`, `3d04h`: two units at most, because an estimate is no more exact. */
export function formatSeconds(seconds: number): string {
  const total = Math.round(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (total < 60) return `${total}s`
  if (total < 3600) return `${Math.floor(total / 60)}m${two(total % 60)}s`
  if (total < 86_400) return `${Math.floor(total / 3600)}h${two(Math.floor(total / 60) % 60)}m`
  return `${Math.floor(total / 86_400)}d${two(Math.floor(total / 3600) % 24)}h`
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`
}
