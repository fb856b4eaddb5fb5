/** Looks at a local destination in threads, block after block of a listing, ahead of the planner that takes the records in. */

import { Worker } from 'node:worker_threads'
import { Bug } from '../units.ts'
import { isErrno } from './files.ts'
import type { Ahead, Answers } from './look-answers.ts'
import type { PathLookOptions } from './look-path.ts'

const THREADS_MAX = 16
/** A look that takes longer waits for something else than this machine, and others can wait beside it. */
const LOOK_MICROS = 20

interface Waiting {
  readonly resolve: (answers: Answers) => void
  readonly reject: (error: unknown) => void
}

/** A thread answers in the order it was asked. */
interface Thread {
  readonly worker: Worker
  readonly waiting: Waiting[]
  /** Why it answers no more. */
  error: Error | undefined
}

/** Node 20 starts no TypeScript as a thread: tests, which run from the source, take the one that was built before them. */
const folder = import.meta.url.endsWith('.ts') ? '../../dist/edge/' : './'
const program = new URL(`${folder}look-thread.js`, import.meta.url)

/** Fewer looks say nothing about how long one takes. */
const LOOKS_MIN = 100
const THREADS_UNMEASURED = 4

/**
 * How many looks at once are of use where some took so long: one on a local disk, more over a network. The median
 * counts: where other programs keep the processors busy, a few looks take a thousand times as long as most.
 */
export function looksAtOnce(lookMicros: readonly number[]): number {
  if (lookMicros.length < LOOKS_MIN) return THREADS_UNMEASURED
  const sorted = [...lookMicros].sort((one, other) => one - other)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return Math.max(1, Math.min(THREADS_MAX, Math.ceil(median / LOOK_MICROS)))
}

/** Threads that take turns. */
export class ThreadsAhead implements Ahead {
  private readonly threads: Thread[] = []
  private asked = 0

  /** Starts as many threads as it may: a limit on processes counts them, too. */
  constructor(options: PathLookOptions, threads: number) {
    try {
      while (this.threads.length < threads) this.threads.push(startThread(options))
    } catch (error) {
      if (!isErrno(error, 'ERR_WORKER_INIT_FAILED')) throw error
    }
  }

  get canLook(): boolean {
    return this.threads.length > 0
  }

  ask(block: Buffer): Promise<Answers> {
    const thread = this.threads[this.asked++ % this.threads.length]
    if (thread === undefined) throw new Bug('nobody looks ahead')
    const copy = Uint8Array.from(block)
    const answer = new Promise<Answers>((resolve, reject) => {
      if (thread.error === undefined) thread.waiting.push({ resolve, reject })
      else reject(thread.error)
    })
    // Whoever gave up waiting has its own reason.
    answer.catch(() => undefined)
    thread.worker.postMessage(copy, [copy.buffer])
    return answer
  }

  /** Each block is answered by itself. */
  flush(): void {}

  async close(): Promise<void> {
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()))
  }
}

function startThread(options: PathLookOptions): Thread {
  const worker = new Worker(program, { workerData: options })
  const thread: Thread = { worker, waiting: [], error: undefined }
  const giveUp = (error: Error): void => {
    thread.error ??= error
    for (const { reject } of thread.waiting.splice(0)) reject(thread.error)
  }
  worker.on('message', (answers: Answers) => thread.waiting.shift()?.resolve(answers))
  worker.on('error', giveUp)
  worker.on('exit', () => {
    giveUp(new Bug('a thread that looks at the destination ended by itself'))
  })
  return thread
}
