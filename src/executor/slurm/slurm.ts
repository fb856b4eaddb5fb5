/** Slurm as an executor: one held array per step, `afterok` edges on task 0, one text squeue per look. */

import { fail, failWith, ok } from '../../diagnostic.ts'
import type { Result } from '../../diagnostic.ts'
import { run as runProcess } from '../../edge/process.ts'
import type { Argv, ProcessFailure } from '../../edge/process.ts'
import type { Step } from '../../graph/step.ts'
import type { Executor, Sighting } from '../../run/executor.ts'
import type { Ticket } from '../../run/event.ts'
import { millis } from '../../units.ts'
import type { RunId } from '../../units.ts'
import { jobName, sbatchArgs } from './directives.ts'
import { commandEnvironment, submitEnvironment } from './environment.ts'
import { parseQueue, parseSubmitted, queueFormat, sightingOf } from './parse.ts'
import type { QueueRow } from './parse.ts'
import { refusal } from './refusal.ts'

/** Longer than MessageTimeout anywhere (60 s on Soperator) and than sbatch's own 15 retries (120 s). */
const SUBMIT_TIMEOUT = millis(300_000)
const QUERY_TIMEOUT = millis(90_000)
/** After a scancel, how often and how long the queue is asked whether anything is left. KillWait may be 180 s. */
const CANCEL_LOOK_MILLIS = 1000
const CANCEL_LOOKS_MAX = 240

export interface SlurmContext {
  readonly run: RunId
  readonly env: Readonly<Record<string, string | undefined>>
  readonly environmentPass: readonly string[]
  stageFolder(step: Step): string
  scriptPath(step: Step): string
  readonly sleep: (milliseconds: number) => Promise<void>
}

export function createSlurmExecutor(context: SlurmContext): Executor {
  const env = commandEnvironment(context.env)
  const call: Call = (argv) => runProcess(argv, { timeoutMillis: QUERY_TIMEOUT, env })
  const sbatch: Call = (argv) =>
    runProcess(argv, {
      timeoutMillis: SUBMIT_TIMEOUT,
      env: submitEnvironment(context.env, context.environmentPass),
    })
  const names = new Set<string>()
  const queue = async (): Promise<readonly QueueRow[] | undefined> => {
    const answer = await call([
      'squeue',
      '--noheader',
      '--states=all',
      `--format=${queueFormat}`,
      `--name=${[...names].join(',')}`,
    ])
    return answer.ok ? parseQueue(answer.value.stdout) : undefined
  }
  return {
    kind: 'slurm',
    nameOf: (step) => {
      const name = jobName(context.run, step)
      names.add(name)
      return name
    },
    submit: (step, after) => submit(context, sbatch, queue, step, after),
    release: async (roots) => {
      if (roots.length === 0) return ok(undefined)
      const answer = await call(['scontrol', 'release', roots.join(',')])
      return answer.ok ? ok(undefined) : fail([refusal('scontrol release', answer.error)])
    },
    look: async (tickets) => {
      const rows = await queue()
      return new Map(
        tickets.map((ticket) => [
          ticket,
          rows === undefined ? unknown : sightingOf(rows.filter((row) => row.arrayId === ticket)),
        ]),
      )
    },
    cancel: (tickets) => cancel(call, queue, tickets, context.sleep),
  }
}

const unknown: Sighting = { phase: 'unknown' }

type Call = (argv: Argv) => Promise<Result<{ stdout: string; stderr: string }, ProcessFailure>>
type Queue = () => Promise<readonly QueueRow[] | undefined>

/**
 * One sbatch. A printed id means success whatever stderr says; everything that is not a clear refusal is
 * uncertain and is looked up by name, because a controller may have accepted what the client never heard of.
 */
async function submit(
  context: SlurmContext,
  sbatch: Call,
  queue: Queue,
  step: Step,
  after: readonly Ticket[],
): Promise<Result<Ticket>> {
  const args = sbatchArgs({
    run: context.run,
    step,
    stageFolder: context.stageFolder(step),
    scriptPath: context.scriptPath(step),
    after,
  })
  const answer = await sbatch(['sbatch', ...args])
  const id = parseSubmitted(answer.ok ? answer.value.stdout : answer.error.stdout)
  if (answer.ok && id !== undefined) return ok(id)
  const adopted = (await queue())?.find((row) => row.name === jobName(context.run, step))
  if (adopted !== undefined) return ok(adopted.arrayId)
  if (!answer.ok) return fail([refusal('sbatch', answer.error)])
  return failWith(
    'SX503',
    `sbatch printed no job id for ${step.id}`,
    'Run sbatch by hand to see what it prints, then apply again.',
  )
}

/** scancel answers 0 for ids it does not know, so the queue is asked until nothing of it is left. */
async function cancel(
  call: Call,
  queue: Queue,
  tickets: readonly Ticket[],
  sleep: SlurmContext['sleep'],
): Promise<Result<undefined>> {
  if (tickets.length === 0) return ok(undefined)
  const answer = await call(['scancel', '--quiet', ...tickets])
  if (!answer.ok) return fail([refusal('scancel', answer.error)])
  for (let looks = 0; looks < CANCEL_LOOKS_MAX; looks++) {
    const rows = await queue()
    const left = rows?.filter((row) => tickets.includes(row.arrayId)) ?? []
    if (
      rows !== undefined &&
      tickets.every((ticket) => sightingOf(left.filter((row) => row.arrayId === ticket)).phase === 'gone')
    )
      return ok(undefined)
    await sleep(CANCEL_LOOK_MILLIS)
  }
  return failWith(
    'SX504',
    'Some jobs are still in the queue after scancel',
    `Look at them with: squeue --jobs=${tickets.join(',')}`,
  )
}
