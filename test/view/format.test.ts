import { expect, test } from 'vitest'
import { formatBytes, formatCount, formatPlural, formatSeconds } from '../../src/view/format.ts'

test('bytes change their unit where four digits would stand', () => {
  expect([0, 1, 1023, 1024, 1536, 1_048_524, 1_048_576, 92_681_137_402_675].map(formatBytes)).toEqual([
    '0 B',
    '1 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1023.9 KiB',
    '1.0 MiB',
    '84.3 TiB',
  ])
})

test('counts have separators, and millions are rounded', () => {
  expect([0, 999, 1000, 999_999, 41_200_000, 2e9].map(formatCount)).toEqual([
    '0',
    '999',
    '1,000',
    '999,999',
    '41.2 M',
    '2.0 G',
  ])
  expect([formatPlural(1, 'file'), formatPlural(2, 'entry', 'entries')]).toEqual(['1 file', '2 entries'])
})

test('times have two units at most', () => {
  expect([0, 59, 60, 90, 3600, 7500, 86_400, 273_600].map(formatSeconds)).toEqual([
    '0s',
    '59s',
    '1m00s',
    '1m30s',
    '1h00m',
    '2h05m',
    '1d00h',
    '3d04h',
  ])
})
