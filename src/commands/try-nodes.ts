/** Before anything is handed over: does a node see, reach and have what the plan takes? One small job asks. */

import { fail, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import type { Answer } from '../diagnostic-finding.ts'
import { readProbe } from '../edge/doctor-probe.ts'
import { toolEnvironment } from '../edge/tool-probe.ts'
import { lookAtCluster } from '../executor/slurm/cluster.ts'
import { askSomeNodes } from '../executor/slurm/doctor-nodes.ts'
import { commandEnvironment } from '../executor/slurm/environment.ts'
import { caller } from '../executor/slurm/queue.ts'
import type { Plan } from '../plan/plan.ts'
import type { ExecutorKind } from '../run/event.ts'
import { formatBytes } from '../view/format.ts'
import type { CommandIo } from './io.ts'

/** One question: a server that does not answer is told by then. */
const QUESTION_SECONDS = 15
/** So long an apply waits for a node that is free: on a full cluster the jobs of the run wait longer than that anyway. */
const WAIT_SECONDS = 30

/** Tests do not wait that long for nothing. */
function waitSecondsOf(env: CommandIo['env']): number {
  const asked = Number(env['SOXPLAN_PROBE_SECONDS'] ?? NaN)
  return asked > 0 ? asked : WAIT_SECONDS
}

/**
 * Asks one node of each kind that the plan's jobs go to. Succeeds with what is no error: warnings, and what nobody could
 * find out. Fails with what a node lacks.
 */
export async function tryNodes(
  plan: Plan,
  executor: ExecutorKind,
  stateDir: string,
  io: CommandIo,
): Promise<Result<readonly Diagnostic[]>> {
  const isAsked = executor === 'slurm' && plan.transfers.some(({ where }) => where === 'slurm')
  if (!isAsked) return ok([])
  const cluster = await lookAtCluster(caller(commandEnvironment(io.env)), io.interrupt)
  if (!cluster.ok) return cluster
  io.stderr('Asking a node whether it has what the plan takes (--no-probe leaves that out) …\n')
  const answers: Answer[] = []
  const context = {
    probe: await readProbe(),
    env: toolEnvironment(io.env, plan.environmentPass),
    rclonePath: plan.tools.rclone?.path ?? 'rclone',
    shellEnv: io.env,
    environmentPass: plan.environmentPass,
    home: io.home,
    bytesText: formatBytes,
    stateDir,
    interrupt: io.interrupt,
    questionSeconds: QUESTION_SECONDS,
    waitSeconds: waitSecondsOf(io.env),
    add: (more: readonly Answer[]): void => {
      answers.push(...more)
    },
  }
  await askSomeNodes(context, plan, cluster.value)
  const found = answers.flatMap(diagnosticsOf)
  const errors = found.filter(({ severity }) => severity === 'error')
  return errors.length > 0 ? fail(errors) : ok(found)
}

function diagnosticsOf({ node, findings }: Answer): readonly Diagnostic[] {
  return findings.flatMap((finding): readonly Diagnostic[] => {
    if (finding.verdict === 'ok') return []
    const { verdict, what, ...rest } = finding
    const where = node === undefined || what.includes(node) ? what : `${node}: ${what}`
    return [{ ...rest, what: where, severity: verdict === 'error' ? 'error' : 'warning' }]
  })
}
