/** `soxplan doctor [PLAN]`: what would stand in the way of a plan, found before anything moves. */

import path from 'node:path'
import { bad, type Answer } from '../diagnostic-finding.ts'
import type { Result } from '../diagnostic.ts'
import { placeChecks } from '../edge/doctor-ends.ts'
import { hereChecks, runFolderCheck } from '../edge/doctor-here.ts'
import { readProbe } from '../edge/doctor-probe.ts'
import { askAll, type Check } from '../edge/doctor-run.ts'
import { toolChecks } from '../edge/doctor-tools.ts'
import { stateDirOf } from '../edge/run-folder.ts'
import { toolEnvironment } from '../edge/tool-probe.ts'
import type { Cluster } from '../executor/slurm/cluster.ts'
import { askNodes, type NodesContext } from '../executor/slurm/doctor-nodes.ts'
import { clusterOnce, slurmChecks, type AskCluster } from '../executor/slurm/doctor.ts'
import type { Plan } from '../plan/plan.ts'
import {
  answerRecords,
  answerText,
  countFindings,
  headingOf,
  headRecord,
  nodeText,
  summaryRecord,
  summaryText,
} from '../view/doctor.ts'
import { formatBytes } from '../view/format.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'
import { loadPlan, printDiagnostics } from './load-plan.ts'

export interface DoctorFlags {
  readonly vars: Readonly<Record<string, string>>
  readonly state?: string
  readonly json?: boolean
  /** Seconds that one question may take. */
  readonly timeout: number
  /** Ask the nodes too. */
  readonly nodes?: boolean
  /** Seconds that all nodes together may take. */
  readonly wait: number
}

/** Exit codes: 0 where nothing is red, 1 where something is, 2 for a plan that is wrong, 130 interrupted. */
export async function doctorCommand(
  file: string | undefined,
  flags: DoctorFlags,
  io: CommandIo,
): Promise<number> {
  const loaded = file === undefined ? undefined : await loadPlan(file, flags.vars, io)
  if (loaded !== undefined && file !== undefined)
    printDiagnostics(loaded.ok ? loaded.value.warnings : loaded.error, file, io)
  if (loaded?.ok === false) return ExitCode.usage
  const plan = loaded?.value.plan
  const context = await doctorContext(plan, flags, io)
  const askCluster = clusterOnce(context)
  const page = openPage(file, flags, io)
  for (const answer of askAll(checksOf(context, plan, askCluster), flags.timeout, io.interrupt)) {
    page.add(await answer)
    if (io.interrupt.aborted) return ExitCode.interrupted
  }
  if (flags.nodes === true) {
    const add = (answers: readonly Answer[]): void => {
      page.addNode(answers)
    }
    await nodes({ ...context, add }, plan, await askCluster(io.interrupt))
    if (io.interrupt.aborted) return ExitCode.interrupted
  }
  return page.close() ? ExitCode.ok : ExitCode.failed
}

/** Where Slurm is, but does not answer, that has been told. */
async function nodes(
  context: NodesContext,
  plan: Plan | undefined,
  cluster: Result<Cluster | undefined>,
): Promise<void> {
  if (!cluster.ok) return
  if (cluster.value !== undefined) return askNodes(context, plan, cluster.value)
  const todo = 'Leave out --nodes, or ask where `sinfo` shows nodes.'
  const finding = bad('unknown', 'SX712', 'there are no nodes to ask: no Slurm is here', todo)
  context.add([{ topic: 'slurm', subject: 'nodes', findings: [finding] }])
}

async function doctorContext(
  plan: Plan | undefined,
  flags: DoctorFlags,
  io: CommandIo,
): Promise<Omit<NodesContext, 'add'>> {
  return {
    probe: await readProbe(),
    env: toolEnvironment(io.env, plan?.environmentPass),
    rclonePath: plan?.tools.rclone?.path ?? 'rclone',
    shellEnv: io.env,
    environmentPass: plan?.environmentPass ?? [],
    home: io.home,
    bytesText: formatBytes,
    stateDir:
      plan === undefined
        ? path.resolve(io.cwd, flags.state ?? '.soxplan')
        : stateDirOf(plan, flags.state, io.env, io.cwd),
    interrupt: io.interrupt,
    questionSeconds: flags.timeout,
    waitSeconds: flags.wait,
  }
}

function checksOf(
  context: Omit<NodesContext, 'add'>,
  plan: Plan | undefined,
  askCluster: AskCluster,
): readonly Check[] {
  return [
    ...hereChecks(context),
    ...toolChecks(context, plan),
    runFolderCheck(context, context.stateDir),
    ...placeChecks(context, plan?.transfers ?? []),
    ...slurmChecks(context, plan, askCluster),
  ]
}

interface Page {
  add(answer: Answer): void
  /** All that is known of one node, at once. */
  addNode(answers: readonly Answer[]): void
  /** True where nothing is red. */
  close(): boolean
}

/** Prints each answer as it comes. */
function openPage(file: string | undefined, { json }: DoctorFlags, io: CommandIo): Page {
  const answers: Answer[] = []
  let heading: string | undefined
  if (json === true) io.stdout(headRecord(io.version, file))
  return {
    add(answer) {
      answers.push(answer)
      if (answer.findings.length === 0) return
      io.stdout(json === true ? answerRecords(answer) : answerText(answer, heading, io.isOutputColour))
      heading = headingOf(answer)
    },
    addNode(added) {
      answers.push(...added)
      const [first] = added
      if (first === undefined) return
      const text = (): string => nodeText(added, heading, io.isOutputColour)
      io.stdout(json === true ? added.map(answerRecords).join('') : text())
      heading = headingOf(first)
    },
    close() {
      const counts = countFindings(answers)
      io.stdout(json === true ? summaryRecord(counts) : summaryText(counts))
      return counts.errors === 0
    },
  }
}
