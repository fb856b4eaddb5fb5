/** Where a seed is played: on this machine, or on a real Slurm. */

import type { Life } from './life.ts'
import type { Scenario } from './scenario.ts'
import type { Chance } from './seeded.ts'

/** What can go wrong while an apply is at work, by its name. What it returns is waited for, and of no other use. */
export type Mishaps = Readonly<Record<string, (scenario: Scenario, chance: Chance, life: Life) => unknown>>

export interface World {
  readonly name: string
  /** The environment of soxplan: a pace at which nobody waits for minutes. */
  readonly env: NodeJS.ProcessEnv
  /** Of `apply`, and what each life may add. */
  readonly args: readonly string[]
  more(chance: Chance): readonly string[]
  readonly mishaps: Mishaps
  /** Until then something has happened to an apply, at the latest. */
  readonly mishapMillisMax: number
  /** Gives back what a mishap has taken away; called before the quiet lives. */
  recover(scenario: Scenario): Promise<void>
  /** What a run has left that it may not leave, a line each. */
  left(scenario: Scenario): Promise<readonly string[]>
  /** Ends what a seed has left. */
  sweep(scenario: Scenario): Promise<void>
}
