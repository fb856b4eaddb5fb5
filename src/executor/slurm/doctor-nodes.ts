/** `doctor --nodes`: one small job on each node, whose answers come through the state folder. Nothing of it stays. */

import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { bad, trouble, type Answer, type Finding } from '../../diagnostic-finding.ts'
import type { ConfigContext } from '../../edge/doctor-config.ts'
import { openJobFolder, type JobFolder } from '../../edge/doctor-job-folder.ts'
import { nodeAsks, type NodeAsk } from '../../edge/doctor-node.ts'
import { readFacts } from '../../edge/doctor-probe.ts'
import { run as runProcess } from '../../edge/process.ts'
import type { Plan } from '../../plan/plan.ts'
import { readReply, renderDoctorJob, type NodeReply } from '../../script/doctor-job.ts'
import { millis, seconds } from '../../units.ts'
import { cancelAll } from './cancel.ts'
import type { Cluster } from './cluster.ts'
import {
  nodeTargets,
  questionArgs,
  roundPrefix,
  someTargets,
  unknownNode,
  type NodeTarget,
} from './doctor-targets.ts'
import { commandEnvironment, submitEnvironment } from './environment.ts'
import { isLive, sightingOf, type QueueRow } from './parse.ts'
import { caller, queueOf, type Call, type Queue } from './queue.ts'
import { isSilence, refusal } from './refusal.ts'

export interface NodesContext extends ConfigContext {
  readonly stateDir: string
  readonly interrupt: AbortSignal
  /** That one question may take. */
  readonly questionSeconds: number
  /** That all nodes together may take to start their jobs and to answer. */
  readonly waitSeconds: number
  /** Takes the answers of one node, as they come. */
  readonly add: (answers: readonly Answer[]) => void
}

/** Longer than sbatch's own 15 retries, as for the jobs of a run. */
const SUBMIT_TIMEOUT = millis(300_000)
const SUBMITS_AT_ONCE = 4
const LOOK_MILLIS = 500
/** Looks between two questions to the controller. */
const LOOKS_PER_QUEUE = 4
/** A job that is over may have answered a little before: over NFS its last words come seconds later. */
const SILENT_QUEUES_MAX = 4

/** Asks every node of the plan's partitions that is up. Ends when all have answered, when time is up, or at the interrupt. */
export async function askNodes(
  context: NodesContext,
  plan: Plan | undefined,
  cluster: Cluster,
): Promise<void> {
  const { interrupt, shellEnv, add } = context
  const call = caller(commandEnvironment(shellEnv))
  const { up, away } = await nodeTargets(plan, cluster, call, interrupt)
  await askTargets(context, plan, up, call)
  if (!interrupt.aborted) for (const answer of away) add([answer])
}

/** Asks one node of each kind that the plan's jobs go to, whichever is free first. */
export function askSomeNodes(context: NodesContext, plan: Plan, cluster: Cluster): Promise<void> {
  const call = caller(commandEnvironment(context.shellEnv))
  return askTargets(context, plan, someTargets(plan, cluster), call)
}

async function askTargets(
  context: NodesContext,
  plan: Plan | undefined,
  targets: readonly NodeTarget[],
  call: Call,
): Promise<void> {
  const { stateDir, questionSeconds, interrupt, probe, add } = context
  let asks: readonly NodeAsk[] = []
  const makeScript = async (folder: string): Promise<string> => {
    const patience = AbortSignal.any([interrupt, AbortSignal.timeout(questionSeconds * 1000)])
    asks = await nodeAsks(context, plan, stateDir, folder, patience)
    return renderDoctorJob(
      asks.map(({ question }) => question),
      probe,
      questionSeconds,
    )
  }
  const names = targets.map(({ node }) => node)
  const calls = new Map(targets.map(({ node, anyOf }) => [node, anyOf ?? node]))
  const opened = await openJobFolder(stateDir, makeScript, names)
  if (!opened.ok) {
    const findings = opened.error.map((diagnostic) => trouble(diagnostic))
    add([{ topic: 'slurm', subject: 'nodes', findings }])
    return
  }
  const folder = opened.value
  const round = roundPrefix(randomBytes(3).toString('hex'))
  const queue = queueOf(round, call)
  const [open, live] = [new Set(names), new Set(names)]
  const here: Round = { round, queue, folder, open, live, calls }
  try {
    await submitAll(context, [...targets], here)
    await watch(context, asks, here)
  } finally {
    const left = await endJobs(here, call)
    await folder.remove()
    if (left.length > 0) add([{ topic: 'slurm', subject: 'nodes', findings: left }])
  }
}

interface Round {
  readonly round: string
  readonly queue: Queue
  readonly folder: JobFolder
  /** Nodes that an answer is waited for from. */
  readonly open: Set<string>
  /** Nodes that may have a job. */
  readonly live: Set<string>
  /** What each is called until it has told its name. */
  readonly calls: ReadonlyMap<string, string>
}

/** Without a way to stop one: half an sbatch would leave a job that nobody knows of. */
async function submitAll(context: NodesContext, targets: NodeTarget[], here: Round): Promise<void> {
  const { shellEnv, environmentPass, interrupt, waitSeconds, add } = context
  const { round, folder, open, live, calls } = here
  const env = submitEnvironment(shellEnv, environmentPass)
  const limit = seconds(waitSeconds + 60)
  const lane = async (): Promise<void> => {
    for (let next = targets.shift(); next !== undefined && !interrupt.aborted; next = targets.shift()) {
      const { node } = next
      const files = {
        script: folder.script,
        folder: folder.path,
        answer: folder.answer(node),
        log: folder.log(node),
      }
      const argv = ['sbatch', ...questionArgs(next, round, limit, files)] as const
      const answer = await runProcess(argv, { timeoutMillis: SUBMIT_TIMEOUT, env, ownSession: true })
      if (answer.ok) continue
      open.delete(node)
      if (!isSilence(answer.error)) live.delete(node)
      const finding = trouble(refusal('sbatch', answer.error), 'unknown')
      const name = calls.get(node) ?? node
      add([{ topic: 'node', subject: name, node: name, findings: [finding] }])
    }
  }
  await Promise.all(Array.from({ length: SUBMITS_AT_ONCE }, lane))
}

/** Tells of nodes as they answer, and of the rest when time is up; those then still have a job. */
async function watch(
  context: NodesContext,
  asks: readonly NodeAsk[],
  { round, queue, folder, open, live, calls }: Round,
): Promise<void> {
  const { interrupt, waitSeconds, questionSeconds, add } = context
  const end = performance.now() + waitSeconds * 1000
  const silent = new Map<string, number>()
  let rows: readonly QueueRow[] = []
  for (let looks = 1; open.size > 0 && performance.now() < end; looks++) {
    await delay(LOOK_MILLIS, undefined, { signal: interrupt }).catch(() => undefined)
    if (interrupt.aborted) return
    const asked = looks % LOOKS_PER_QUEUE === 0 ? await queue(interrupt) : undefined
    rows = asked ?? rows
    for (const node of [...open]) {
      const reply = readReply(await folder.read(folder.answer(node)))
      const isOver = asked?.some((row) => row.name === `${round}${node}` && isLive(row)) === false
      silent.set(node, (silent.get(node) ?? 0) + Number(isOver))
      if (!reply.isWhole && (silent.get(node) ?? 0) < SILENT_QUEUES_MAX) continue
      open.delete(node)
      live.delete(node)
      const name = reply.node ?? calls.get(node) ?? node
      const said = await folder.read(folder.log(node))
      const ended = reply.isWhole ? [] : [endedEarly(context, name, said)]
      add([...readAnswers(reply, asks, name, questionSeconds), ...ended])
    }
  }
  for (const node of open) {
    const row = rows.find(({ name }) => name === `${round}${node}`)
    const reply = readReply(await folder.read(folder.answer(node)))
    const name = reply.node ?? calls.get(node) ?? node
    add([...readAnswers(reply, asks, name, questionSeconds), lateAnswer(name, row, waitSeconds)])
  }
}

function readAnswers(
  { answers, late }: NodeReply,
  asks: readonly NodeAsk[],
  node: string,
  limitSeconds: number,
): readonly Answer[] {
  const facts = new Map([...answers].map(([number, lines]) => [number, readFacts(lines)]))
  const factsOf = (subject: string): ReturnType<typeof readFacts> | undefined =>
    facts.get(asks.findIndex((ask) => ask.subject === subject))
  return asks.flatMap(({ subject, ifSilent, judge }, number): readonly Answer[] => {
    const said = facts.get(number)
    if (said === undefined) return []
    const what = `${subject} gave no answer within ${limitSeconds} s`
    const findings = late.has(number) ? [bad('unknown', 'SX701', what, ifSilent)] : judge(said, node, factsOf)
    return [{ topic: 'node', subject, node, findings }]
  })
}

/** Slurm can not write where the node does not see the folder, and ends the job without a word. */
function endedEarly({ stateDir }: NodesContext, node: string, log: string): Answer {
  const said = log.trim().split('\n').at(-1) ?? ''
  const finding: Finding = bad(
    'error',
    'SX713',
    `the job on ${node} ended without an answer in the state folder ${stateDir}`,
    `See that ${node} has the file system of the state folder, or name another folder with --state DIR.`,
    said === '' ? undefined : `It said: ${said}`,
  )
  return { topic: 'node', subject: 'run folder', node, findings: [finding] }
}

function lateAnswer(node: string, row: QueueRow | undefined, waitSeconds: number): Answer {
  const sighting = row === undefined ? undefined : sightingOf([row])
  if (sighting?.phase === 'running')
    return unknownNode(
      node,
      `has not answered all within ${waitSeconds} s: its job still runs`,
      'Something hangs on that node: look at its file systems.',
    )
  const reason = sighting?.phase === 'waiting' ? ` (${sighting.reason})` : ''
  return unknownNode(
    node,
    `was not asked: its job did not start within ${waitSeconds} s${reason}`,
    `\`squeue --nodelist=${node}\` shows what it does; --wait SECONDS waits longer.`,
  )
}

/** Ends the jobs of those that have not answered, and sees to it that they are gone; else says that they may be left. */
async function endJobs({ live, round, queue }: Round, call: Call): Promise<readonly Finding[]> {
  if (live.size === 0) return []
  const unanswered: Queue = async (stop) =>
    (await queue(stop))?.filter(({ name }) => live.has(name.slice(round.length)))
  const ended = await cancelAll(call, unanswered, (milliseconds) => delay(milliseconds))
  if (ended.ok) return []
  const what = `jobs of doctor may be left in the queue, with names that begin with ${round}`
  const todo = 'Look for them with `squeue --me` when `scontrol ping` says UP, and end them with `scancel`.'
  return ended.error.map((diagnostic) => bad('warning', diagnostic.code, what, todo, `${diagnostic.what}.`))
}
