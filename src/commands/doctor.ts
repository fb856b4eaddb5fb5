/** `soxplan doctor [PLAN]`: what would stand in the way of a plan, found before anything moves. */

import path from 'node:path'
import type { Answer } from '../diagnostic-finding.ts'
import { placeChecks } from '../edge/doctor-ends.ts'
import { hereChecks, runFolderCheck } from '../edge/doctor-here.ts'
import { readProbe } from '../edge/doctor-probe.ts'
import { askAll, type Check } from '../edge/doctor-run.ts'
import { toolChecks } from '../edge/doctor-tools.ts'
import { stateDirOf } from '../edge/run-folder.ts'
import { toolEnvironment } from '../edge/tool-probe.ts'
import { clusterOnce, slurmChecks } from '../executor/slurm/doctor.ts'
import type { Plan } from '../plan/plan.ts'
import {
  answerRecords,
  answerText,
  countFindings,
  headingOf,
  headRecord,
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
  const checks = await allChecks(loaded?.value.plan, flags, io)
  const page = openPage(file, flags, io)
  for (const answer of askAll(checks, flags.timeout, io.interrupt)) {
    page.add(await answer)
    if (io.interrupt.aborted) return ExitCode.interrupted
  }
  return page.close() ? ExitCode.ok : ExitCode.failed
}

async function allChecks(
  plan: Plan | undefined,
  flags: DoctorFlags,
  io: CommandIo,
): Promise<readonly Check[]> {
  const stateDir =
    plan === undefined
      ? path.resolve(io.cwd, flags.state ?? '.soxplan')
      : stateDirOf(plan, flags.state, io.env, io.cwd)
  const context = {
    probe: await readProbe(),
    env: toolEnvironment(io.env, plan?.environmentPass),
    rclonePath: plan?.tools.rclone?.path ?? 'rclone',
    shellEnv: io.env,
    environmentPass: plan?.environmentPass ?? [],
    home: io.home,
    bytesText: formatBytes,
  }
  const slurm = { env: io.env, environmentPass: context.environmentPass, bytesText: formatBytes }
  return [
    ...hereChecks(context),
    ...toolChecks(context, plan),
    runFolderCheck(context, stateDir),
    ...placeChecks(context, plan?.transfers ?? []),
    ...slurmChecks(slurm, plan, clusterOnce(slurm)),
  ]
}

interface Page {
  add(answer: Answer): void
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
    close() {
      const counts = countFindings(answers)
      io.stdout(json === true ? summaryRecord(counts) : summaryText(counts))
      return counts.errors === 0
    },
  }
}
