/** Questions about the tools on this machine: where, which version, and what that version lacks. */

import { bad, good, trouble, type Finding } from '../diagnostic-finding.ts'
import type { Diagnostic } from '../diagnostic.ts'
import type { Plan, ToolName } from '../plan/plan.ts'
import { usableTool } from '../tools/choose.ts'
import { toolNeeds, type Need } from '../tools/needs.ts'
import { optionWarnings, unknownOptions } from '../tools/options.ts'
import { rcloneLimit } from '../tools/rclone.ts'
import { highest, versionArgument, type ToolVersion } from '../tools/tool.ts'
import { askProbe, type Facts, type ProbeContext } from './doctor-probe.ts'
import type { Check } from './doctor-run.ts'
import { findOnPath } from './executor-choice.ts'
import { probeTool } from './tool-probe.ts'

const allTools = ['rclone', 'rsync', 'aws'] as const

/** Those that the plan needs; without a plan all of them, and none is missed. */
export function toolChecks(context: ProbeContext, plan: Plan | undefined): readonly Check[] {
  const needs: ReadonlyMap<ToolName, Need | undefined> =
    plan === undefined ? new Map(allTools.map((name) => [name, undefined])) : toolNeeds(plan.transfers)
  const needsSsh =
    plan?.transfers.some(({ from, to }) => [from, to].some(({ kind }) => kind === 'ssh')) ?? true
  return [
    ...[...needs].map(([name, need]) => toolCheck(context, plan, name, need, needs)),
    ...(needsSsh ? [sshCheck(context, plan === undefined ? undefined : 'must')] : []),
  ]
}

function toolCheck(
  { env }: ProbeContext,
  plan: Plan | undefined,
  name: ToolName,
  need: Need | undefined,
  needs: ReadonlyMap<ToolName, Need | undefined>,
): Check {
  const pathOf = (tool: ToolName): string => plan?.tools[tool]?.path ?? tool
  const ask = async (tool: ToolName, signal: AbortSignal): Promise<ToolVersion | readonly Diagnostic[]> => {
    const found = usableTool({ [tool]: await probeTool(tool, pathOf(tool), env, signal) }, tool)
    return found.ok ? found.value : found.error
  }
  return {
    topic: 'tools',
    subject: name,
    ifSilent: `Run \`${pathOf(name)} ${versionArgument(name)}\` by hand, and mend what it waits for.`,
    async ask(signal) {
      const found = await ask(name, signal)
      if ('tool' in found) {
        const place = (await findOnPath(found.path, env)) ?? found.path
        return [good(`${name} ${found.text}, ${place}`), ...lacks(found, plan, needs)]
      }
      const others = [...needs.keys()].filter((other) => other !== name && needs.get(other) === 'may')
      const rest = need === 'may' ? await Promise.all(others.map((other) => ask(other, signal))) : []
      const isFatal = need === 'must' || (need === 'may' && !rest.some((other) => 'tool' in other))
      return found.map((diagnostic) => trouble(diagnostic, isFatal ? 'error' : 'warning'))
    },
  }
}

/** What the installed version does not know or do: all of it without a plan, else what concerns the plan. */
function lacks(
  version: ToolVersion,
  plan: Plan | undefined,
  needs: ReadonlyMap<ToolName, Need | undefined>,
): readonly Finding[] {
  const named = `${version.tool} ${version.text}`
  const limit = version.tool === 'rclone' && concernsFiles(plan, needs) ? rcloneLimit(version) : undefined
  const limits =
    limit === undefined
      ? []
      : [
          bad(
            'warning',
            'SX407',
            `${named} ${limit.what}`,
            `Install ${version.tool} ${limit.floor.major}.${limit.floor.minor} or newer where large files have to be quick.`,
          ),
        ]
  if (plan !== undefined) {
    const warnings = plan.transfers.flatMap((transfer) => optionWarnings(transfer, version))
    return [...warnings.map((warning) => trouble(warning)), ...limits]
  }
  const unknown = unknownOptions(version)
  if (unknown.length === 0) return limits
  const { major, minor } = highest(unknown.map(({ floor }) => floor))
  const options = unknown.map(({ name, floor }) => `${name} (${floor.major}.${floor.minor})`).join(', ')
  return [
    bad(
      'warning',
      'SX404',
      `${named} does not know ${options}`,
      `Install ${version.tool} ${major}.${minor} or newer to have them.`,
      'They only tune: where a plan sets them, they are left out with a warning.',
    ),
    ...limits,
  ]
}

/** rclone may come to write files, as against objects. */
function concernsFiles(plan: Plan | undefined, needs: ReadonlyMap<ToolName, Need | undefined>): boolean {
  if (plan === undefined) return true
  return needs.has('rclone') && plan.transfers.some(({ to }) => to.kind === 'local' || to.kind === 'ssh')
}

function sshCheck(context: ProbeContext, need: Need | undefined): Check {
  return {
    topic: 'tools',
    subject: 'ssh',
    ifSilent: 'Run `ssh -V` by hand, and mend what it waits for.',
    async ask(signal) {
      const facts = await askProbe(context, signal, 'tool', 'ssh', '-V')
      return [judgeSsh(facts, need === 'must' ? 'error' : 'warning')]
    },
  }
}

/** Undefined facts: nobody could be asked. `ifMissing` is how bad it is where there is none. */
export function judgeSsh(facts: Facts | undefined, ifMissing: 'warning' | 'error'): Finding {
  const path = facts?.get('path')
  const version = /OpenSSH_[\w.]+/.exec(facts?.get('says') ?? '')?.[0]
  return path !== undefined && version !== undefined
    ? good(`ssh ${version}, ${path}`)
    : bad(ifMissing, 'SX227', 'there is no ssh on PATH', 'Install it (`apt install openssh-client`).')
}
