/** This machine as an executor: the same scripts, claims and marks as on Slurm, with workers as child processes. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { killGroup } from '../edge/kill-group.ts'
import type { Step } from '../graph/step.ts'
import type { Executor, Sighting } from '../run/executor.ts'
import type { Ticket } from '../run/event.ts'
import { Bug } from '../units.ts'
import { workerEnvironment } from './slurm/environment.ts'

/** After TERM a worker ends its tool within its own kill grace; whoever is still there then is killed. */
const KILL_AFTER_MILLIS = 15_000

export interface LocalContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly environmentPass: readonly string[]
  stageFolder(step: Step): string
  scriptPath(step: Step): string
}

interface Stage {
  readonly step: Step
  readonly ticket: Ticket
  readonly after: readonly Ticket[]
  workers: readonly ChildProcess[]
  state: 'waiting' | 'running' | 'ended-well' | 'ended-badly' | 'blocked'
}

/**
 * Steps run one after another in the order they were handed over, each with all of its workers. Workers get a
 * session of their own, so that a Ctrl-C at the terminal reaches soxplan alone and it decides what becomes of them.
 */
export function createLocalExecutor(context: LocalContext): Executor {
  const stages: Stage[] = []
  const listeners = new Set<() => void>()
  let isOpen = false
  const stageEnded = (): void => {
    advance()
    for (const listener of listeners) listener()
  }
  const advance = (): void => {
    if (!isOpen || stages.some((stage) => stage.state === 'running')) return
    for (const stage of stages.filter(({ state }) => state === 'waiting')) {
      const parents = stages.filter(({ ticket }) => stage.after.includes(ticket))
      if (parents.some(({ state }) => state === 'ended-badly' || state === 'blocked')) stage.state = 'blocked'
      else if (parents.every(({ state }) => state === 'ended-well')) {
        start(context, stage, stageEnded)
        return
      }
    }
  }
  return {
    kind: 'local',
    nameOf: (step) => step.id,
    submit: (step, after): Promise<Result<Ticket>> => {
      const ticket = String(stages.length)
      stages.push({ step, ticket, after, workers: [], state: 'waiting' })
      return Promise.resolve(ok(ticket))
    },
    find: () => Promise.resolve(undefined),
    confirm: () => Promise.resolve(ok(undefined)),
    release: () => {
      isOpen = true
      advance()
      return Promise.resolve(ok(undefined))
    },
    look: (tickets) =>
      Promise.resolve(new Map(tickets.map((ticket) => [ticket, sighting(stageOf(stages, ticket))]))),
    onStepEnd: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    cancel: async () => {
      isOpen = false
      await Promise.all(stages.flatMap((stage) => stage.workers.map(end)))
      return ok(undefined)
    },
  }
}

function stageOf(stages: readonly Stage[], ticket: Ticket): Stage {
  const stage = stages.find((one) => one.ticket === ticket)
  if (stage === undefined) throw new Bug(`no such ticket: ${ticket}`)
  return stage
}

function sighting(stage: Stage): Sighting {
  switch (stage.state) {
    case 'waiting':
      return { phase: 'waiting', reason: 'Dependency' }
    case 'running':
      return { phase: 'running', workers: stage.workers.filter(isAlive).length }
    case 'blocked':
      return { phase: 'blocked' }
    case 'ended-well':
    case 'ended-badly':
      return { phase: 'gone' }
  }
}

/** Starts the workers of a stage; `then` is called once when the last of them has ended. */
function start(context: LocalContext, stage: Stage, then: () => void): void {
  stage.state = 'running'
  const folder = context.stageFolder(stage.step)
  let open = stage.step.workers
  let closerCode: number | null = null
  const ended = (index: number, code: number | null): void => {
    if (index === 0) closerCode = code
    open -= 1
    if (open > 0) return
    stage.state = closerCode === 0 ? 'ended-well' : 'ended-badly'
    then()
  }
  stage.workers = Array.from({ length: stage.step.workers }, (_, index) => {
    const log = createWriteStream(path.join(folder, 'logs', `local_${index}.log`), {
      flags: 'a',
      mode: 0o600,
    })
    // On a full disk it is the log that is lost, not the run.
    log.on('error', () => undefined)
    const child = spawn('bash', [context.scriptPath(stage.step)], {
      cwd: folder,
      env: {
        ...workerEnvironment(context.env, context.environmentPass),
        WORKER: String(index),
        SOXPLAN_DRIVER_PID: String(process.pid),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    child.once('error', () => {
      ended(index, null)
    })
    child.once('close', (code) => {
      log.end()
      ended(index, code)
    })
    return child
  })
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** TERM, so that the worker records its shard as released; KILL for its whole group if it does not end. */
async function end(child: ChildProcess): Promise<void> {
  if (!isAlive(child)) return
  const closed = new Promise<void>((resolve) =>
    child.once('close', () => {
      resolve()
    }),
  )
  child.kill('SIGTERM')
  const timer = setTimeout(() => {
    killGroup(child.pid)
  }, KILL_AFTER_MILLIS)
  await closed
  clearTimeout(timer)
}
