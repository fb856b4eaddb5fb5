/** Slurm as an executor: one held array per step, `afterok` edges on task 0, one text squeue per look. */

import { run as runProcess } from '../../edge/process.ts'
import type { Step } from '../../graph/step.ts'
import type { Executor, Sighting } from '../../run/executor.ts'
import { millis } from '../../units.ts'
import type { RunId } from '../../units.ts'
import { pacer } from './bucket.ts'
import type { BucketSize } from './bucket.ts'
import { cancelAll } from './cancel.ts'
import { confirm } from './confirm.ts'
import { jobName, jobNamePrefix, sbatchArgs } from './directives.ts'
import { commandEnvironment, submitEnvironment } from './environment.ts'
import { checkOutsideJobs } from './outside-jobs.ts'
import { sightingOf } from './parse.ts'
import { caller, queueOf } from './queue.ts'
import type { Call } from './queue.ts'
import { relauncher } from './relaunch.ts'
import { findByName, release, submitOnce } from './submit.ts'
import type { Patience } from './submit.ts'

/** Longer than MessageTimeout anywhere (60 s on Soperator) and than sbatch's own 15 retries (120 s). */
const SUBMIT_TIMEOUT = millis(300_000)

export interface SlurmContext extends Patience {
  readonly run: RunId
  readonly env: Readonly<Record<string, string | undefined>>
  readonly environmentPass: readonly string[]
  stageFolder(step: Step): string
  scriptPath(step: Step): string
  /** Absent: calls are not counted. */
  readonly bucket?: BucketSize
}

export function createSlurmExecutor(context: SlurmContext): Executor {
  const { run, bucket, sleep } = context
  const paced =
    bucket === undefined ? (call: Call) => call : pacer(bucket, { now: () => performance.now(), sleep })
  const call = paced(caller(commandEnvironment(context.env)))
  // Without a way to stop it: half an sbatch would leave a job that nobody knows of.
  const sbatch = paced((argv) =>
    runProcess(argv, {
      timeoutMillis: SUBMIT_TIMEOUT,
      env: submitEnvironment(context.env, context.environmentPass),
      ownSession: true,
    }),
  )
  const queue = queueOf(jobNamePrefix(run), call)
  return {
    kind: 'slurm',
    nameOf: (step) => jobName(run, step),
    submit: async (step, after, held = after.length === 0) => {
      const outside = await checkOutsideJobs(step.afterJobs, call)
      if (!outside.ok) return outside
      const [stageFolder, scriptPath] = [context.stageFolder(step), context.scriptPath(step)]
      const args = sbatchArgs({ run, step, stageFolder, scriptPath, after, held })
      return submitOnce(args, jobName(run, step), sbatch, queue, context)
    },
    find: (step) => findByName(jobName(run, step), queue, context),
    confirm: (tickets, earlier = []) => confirm(tickets, earlier, call, queue, context),
    release: (roots) => release(roots, call, queue, context),
    relaunch: relauncher(call, queue, context.notify),
    look: async (tickets) => {
      const rows = await queue(context.interrupt)
      return new Map(
        tickets.map((ticket) => [
          ticket,
          rows === undefined ? unknown : sightingOf(rows.filter((row) => row.arrayId === ticket)),
        ]),
      )
    },
    cancel: () => cancelAll(call, queue, context.sleep),
  }
}

const unknown: Sighting = { phase: 'unknown' }
