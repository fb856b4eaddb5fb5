/** What the planner holds in memory for ten million entries: totals, cut and lists. */

import { join } from 'node:path'
import { mustRun } from './measure.ts'
import type { Row } from './row.ts'

const files = 10_000_000
const shards = 64
const barMebibytes = 400
const program = join(import.meta.dirname, 'partition-once.ts')

const cases = [
  { directories: 100_000, flatShare: 0, told: 'in 100,000 directories' },
  { directories: 1, flatShare: 1, told: 'in one directory' },
] as const

async function mebibytes(directories: number, flatShare: number, shardCount: number): Promise<number> {
  const numbers = [files, directories, flatShare, shardCount].map(String)
  return Number((await mustRun([process.execPath, '--import', 'tsx', program, ...numbers])).stdout)
}

export async function run(): Promise<Row[]> {
  const rows: Row[] = []
  for (const { directories, flatShare, told } of cases) {
    await mebibytes(directories, flatShare, 0)
    const held = await mebibytes(directories, flatShare, shards)
    rows.push({
      id: 'memory',
      measure: `${files.toLocaleString('en')} entries ${told} into ${shards} shards: totals, cut, lists`,
      against: `${barMebibytes} MiB resident`,
      ratio: held / barMebibytes,
      bar: '≤ 1.0',
      ok: held <= barMebibytes,
      detail: `${held} MiB at most, Node's own included`,
    })
  }
  return rows
}
