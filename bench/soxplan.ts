/** soxplan as a user starts it, on plans that the bench writes. */

import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustRun } from './measure.ts'
import type { Timed } from './measure.ts'

const CLI = fileURLToPath(new URL('../bin/soxplan.js', import.meta.url))

export const soxplan = (...args: readonly string[]): readonly string[] => [process.execPath, CLI, ...args]

/** Enough shards for small data: the assumed work of a shard may be this short. */
export const manyShards = { SOXPLAN_SHARD_SECONDS: '0.000001' }

export interface BenchPlan {
  readonly file: string
  readonly state: string
}

/** Writes a plan with one transfer per pair, and `more` of a plan; its state folder stands beside it. */
export async function writePlan(
  folder: string,
  transfers: Readonly<Record<string, { from: string; to: string; tool?: string; nodes?: number }>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<BenchPlan> {
  await mkdir(folder, { recursive: true })
  const plan = { version: 1, name: 'bench', transfers, ...more }
  const file = path.join(folder, 'plan.yaml')
  await writeFile(file, JSON.stringify(plan))
  return { file, state: path.join(folder, 'state') }
}

/** One apply on this machine, from the first look at the source to the proof. */
export function applyLocal(
  { file, state }: BenchPlan,
  slots: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Timed> {
  const args = [
    'apply',
    file,
    '--executor',
    'local',
    '--slots',
    String(slots),
    '--state',
    state,
    '--yes',
    '--new',
  ]
  return mustRun(soxplan(...args), { env })
}

export async function forget({ state }: BenchPlan): Promise<void> {
  await rm(state, { recursive: true, force: true })
}
