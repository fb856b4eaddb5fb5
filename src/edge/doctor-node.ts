/** What a node has to have for a plan's workers: each question with what its answer means. */

import { bad, good, trouble, type Finding } from '../diagnostic-finding.ts'
import type { Plan, ToolName } from '../plan/plan.ts'
import type { NodeQuestion } from '../script/doctor-job.ts'
import { usableTool } from '../tools/choose.ts'
import { toolNeeds, type Need } from '../tools/needs.ts'
import { isAtLeast, versionArgument, type ToolVersion } from '../tools/tool.ts'
import type { ConfigContext } from './doctor-config.ts'
import { judgePrograms, judgeRunFolder } from './doctor-here.ts'
import { judgeSsh } from './doctor-tools.ts'
import { placeAsks } from './doctor-node-places.ts'
import type { Facts } from './doctor-probe.ts'
import { probeTool, readVersion } from './tool-probe.ts'

/** One question to each node. */
export interface NodeAsk {
  readonly subject: string
  readonly question: NodeQuestion
  /** What to do where nothing came in time. */
  readonly ifSilent: string
  /** `factsOf` gives what was said to another subject's question. */
  readonly judge: (facts: Facts, node: string, factsOf: FactsOf) => readonly Finding[]
}

type FactsOf = (subject: string) => Facts | undefined

/** All questions. What is missing here already is not asked for there: it has its own finding. */
export async function nodeAsks(
  context: ConfigContext,
  plan: Plan | undefined,
  stateDir: string,
  folder: string,
  signal: AbortSignal,
): Promise<readonly NodeAsk[]> {
  const transfers = (plan?.transfers ?? []).filter(({ where }) => where === 'slurm')
  return [
    {
      subject: 'bash',
      question: { probe: 'programs', args: [] },
      ifSilent: 'Run `bash --version` there, and look at what PATH leads to.',
      judge: (facts, node) => judgePrograms(facts, node),
    },
    ...(await toolAsks(context, plan, toolNeeds(transfers), signal)),
    ...(transfers.some(({ from, to }) => from.kind === 'ssh' || to.kind === 'ssh') ? [sshAsk] : []),
    {
      subject: 'run folder',
      question: { probe: 'links', args: [folder] },
      ifSilent: 'Look at the file system of the state folder on that node, or name another with --state DIR.',
      judge: (facts) => judgeRunFolder(stateDir, facts),
    },
    ...(await placeAsks(context, transfers, signal)),
  ]
}

const sshAsk: NodeAsk = {
  subject: 'ssh',
  question: { probe: 'tool', args: ['ssh', '-V'] },
  ifSilent: 'Run `ssh -V` there, and mend what it waits for.',
  judge: (facts) => [judgeSsh(facts, 'error')],
}

function toolAsks(
  { env }: ConfigContext,
  plan: Plan | undefined,
  needs: ReadonlyMap<ToolName, Need>,
  signal: AbortSignal,
): Promise<readonly NodeAsk[]> {
  return Promise.all(
    [...needs].map(async ([name, need]) => {
      const path = plan?.tools[name]?.path ?? name
      const argument = versionArgument(name)
      const here = await probeTool(name, path, env, signal)
      const others = [...needs.keys()].filter((other) => other !== name && needs.get(other) === 'may')
      return {
        subject: name,
        question: { probe: 'tool', args: [path, argument], setup: plan?.tools[name]?.setup ?? [] },
        ifSilent: `Run \`${path} ${argument}\` there, and mend what it waits for.`,
        judge(facts: Facts, node: string, factsOf: FactsOf) {
          const found = versionThere(name, path, facts)
          if (found.ok) return judgeVersion(found.value, facts, here, node)
          const replaced =
            need === 'may' && others.some((other) => versionThere(other, other, factsOf(other)).ok)
          return found.error.map((diagnostic) => trouble(diagnostic, replaced ? 'warning' : 'error'))
        },
      }
    }),
  )
}

function versionThere(name: ToolName, path: string, facts: Facts | undefined): ReturnType<typeof usableTool> {
  const isThere = facts?.has('path') === true
  return usableTool(isThere ? { [name]: readVersion(name, path, facts.get('says') ?? '') } : {}, name)
}

/** A plan is made for the version of the machine that plans; workers refuse what is too old for it. */
function judgeVersion(
  there: ToolVersion,
  facts: Facts,
  here: Awaited<ReturnType<typeof probeTool>>,
  node: string,
): readonly Finding[] {
  const { tool, text } = there
  const found = good(`${tool} ${text}, ${facts.get('path') ?? ''}`)
  if (!('tool' in here) || isAtLeast(there, here)) return [found]
  const older = bad(
    'warning',
    'SX715',
    `${tool} ${text} of ${node} is older than ${here.text} of this machine`,
    `Install the same version everywhere, or name one that all nodes see under \`tools: ${tool}\`.`,
    'A worker stops where its tool lacks what the plan was made with.',
  )
  return [found, older]
}
