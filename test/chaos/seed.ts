/** One seed: a few applies that go wrong, then applies until all is delivered, then the oracle. */

import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from '../rig/folder.ts'
import { runSoxplan } from '../rig/soxplan.ts'
import { startLife } from './life.ts'
import { differences, violations } from './oracle.ts'
import { toolFaults, writeScenario, type Scenario, type ToolFault } from './scenario.ts'
import { chanceOf, type Chance } from './seeded.ts'
import type { World } from './world.ts'

/** Applies that nothing happens to: the first may still have to wait out what was killed, or find names given up on. */
const QUIET_LIVES_MAX = 4
/** Delivered, failed, refused, left to Slurm, interrupted, and killed by us. */
const CODES: readonly number[] = [0, 1, 2, 4, 130, 137, 143]

export interface SeedResult {
  readonly seed: number
  /** What happened, in order. */
  readonly story: readonly string[]
  /** Empty: all held. */
  readonly broken: readonly string[]
}

export async function playSeed(seed: number, world: World): Promise<SeedResult> {
  const chance = chanceOf(seed)
  await using temp = await tempFolder()
  const scenario = await writeScenario(temp.path, chance, world.env)
  const story: string[] = []
  try {
    const broken = [...(await troubled(scenario, world, chance, story))]
    await world.recover(scenario)
    broken.push(...(await quiet(scenario, world, story)), ...(await world.left(scenario)))
    return { seed, story, broken }
  } finally {
    await world.sweep(scenario)
  }
}

/** Lives in which something goes wrong. What any of them says must be true there and then. */
async function troubled(
  scenario: Scenario,
  world: World,
  chance: Chance,
  story: string[],
): Promise<readonly string[]> {
  const broken: string[] = []
  const lives = chance.between(1, 3)
  const [first = 'nothing', ...rest] = Object.keys(world.mishaps)
  for (let life = 0; life < lives; life++) {
    const faults = Array.from({ length: chance.between(0, 4) }, (): ToolFault => chance.pick(toolFaults))
    const mishap = chance.pick([first, ...rest])
    const delayMillis = chance.between(0, world.mishapMillisMax)
    await scenario.breakTools(faults)
    const running = startLife([...world.args, ...world.more(chance)], scenario.folder, scenario.env)
    await sleep(delayMillis)
    await world.mishaps[mishap]?.(scenario, chance, running)
    const code = await running.ended
    story.push(
      `tools: ${faults.join(' ') || 'well'}; after ${delayMillis} ms: ${mishap}; ended ${code ?? 'never'}`,
    )
    broken.push(...(await judged(scenario, code, running.output())))
  }
  return broken
}

/** An exit code that says more than is true, a life that did not end, or one that stumbled over its own feet. */
async function judged(
  scenario: Scenario,
  code: number | undefined,
  output: string,
): Promise<readonly string[]> {
  if (code === undefined) return [`did not end:\n${output}`]
  if (/^\s+at .*:\d+:\d+\)?$/m.test(output) || output.includes('SX000')) return [`a bug:\n${output}`]
  if (!CODES.includes(code)) return [`ended ${code}:\n${output}`]
  if (code !== 0) return []
  return (await differences(scenario)).map((line) => `ended 0, but ${line}\n${output}`)
}

/** Lives that nothing happens to, until one ends 0; then the oracle, and once more for nothing. */
async function quiet(scenario: Scenario, world: World, story: string[]): Promise<readonly string[]> {
  const { folder, env } = scenario
  let output = ''
  for (let life = 0; life < QUIET_LIVES_MAX; life++) {
    const running = startLife(world.args, folder, env)
    const code = await running.ended
    output = running.output()
    story.push(`quiet: ended ${code ?? 'never'}`)
    const wrong = await judged(scenario, code, output)
    if (wrong.length > 0) return wrong
    if (code !== 0) continue
    const again = await runSoxplan(world.args, { cwd: folder, env })
    // Where contents are to be proven, all of it is looked at once more.
    const isDone = again.exitCode === 0 && !/^ +[+~] (new|changed) /m.test(again.stdout)
    const late = isDone ? [] : [`not done after all: ${again.exitCode}\n${again.stdout}${again.stderr}`]
    return [...(await violations(scenario)), ...late]
  }
  return [`never delivered:\n${output}`]
}
