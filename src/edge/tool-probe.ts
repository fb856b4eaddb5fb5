/** Finds the tools on this machine and asks each for its version. */

import type { Diagnostic } from '../diagnostic.ts'
import type { Plan, ToolName } from '../plan/plan.ts'
import { missing } from '../tools/choose.ts'
import { versionArgument, type FoundTools, type ToolVersion } from '../tools/tool.ts'
import { millis } from '../units.ts'
import { run, whyFailed } from './process.ts'

/** What the probe found, per tool. */
export type ToolSet = FoundTools

type Environment = Readonly<Record<string, string | undefined>>

const PROBE_TIMEOUT = millis(60_000)

/**
 * Their own variables change what the tools do, and jobs have none of them: what works here has to work there. A bundle
 * that only other programs need (AWS_CA_BUNDLE) makes rclone 1.60.1 fail besides.
 */
const leftOut = /^(RCLONE|RSYNC|AWS)_/

/** The environment for calls to the tools, English and UTC. Variables that the plan passes on stay as they are. */
export function toolEnvironment(
  env: Environment,
  pass: readonly string[] = [],
): Readonly<Record<string, string>> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (!leftOut.test(entry[0]) || pass.includes(entry[0])),
  )
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' }
}

/** Every tool that is asked for, as it is on this machine: by the plan's path, else on `PATH`. */
export async function probeTools(
  plan: Pick<Plan, 'tools' | 'environmentPass'>,
  env: Environment,
  names: readonly ToolName[] = ['rclone', 'rsync'],
): Promise<ToolSet> {
  const clean = toolEnvironment(env, plan.environmentPass)
  const found = await Promise.all(
    names.map(async (name) => [name, await probeTool(name, plan.tools[name]?.path ?? name, clean)] as const),
  )
  return Object.fromEntries(found)
}

/** `path` may be a bare name. `v1.60.1-DEV` and `rsync  version 3.2.7  protocol …` both count; `stop` ends the wait. */
export async function probeTool(
  name: ToolName,
  path: string,
  env: Readonly<Record<string, string>>,
  stop?: AbortSignal,
): Promise<ToolVersion | Diagnostic> {
  const answer = await run([path, versionArgument(name)], {
    timeoutMillis: PROBE_TIMEOUT,
    env,
    ...(stop === undefined ? {} : { stop, ownGroup: true }),
  })
  if (!answer.ok) {
    if (answer.error.kind === 'missing')
      return missing(name, path === name ? undefined : `There is no ${path}.`)
    return missing(name, `${path} does not start: ${whyFailed(answer.error)}`)
  }
  return readVersion(name, path, answer.value.stdout)
}

/** The version in what a tool said of itself. */
export function readVersion(name: ToolName, path: string, said: string): ToolVersion | Diagnostic {
  const [line = ''] = said.split('\n')
  const version = /(\d+)\.(\d+)\S*/.exec(line)
  if (version === null) return missing(name, `${path} does not name a version: ${line}`)
  const text = /v?\d+\.\d+\S*/.exec(line)?.[0] ?? version[0]
  return { tool: name, path, text, major: Number(version[1]), minor: Number(version[2]) }
}
