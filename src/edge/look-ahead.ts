/** Looks at a local destination in threads, block after block of a listing, ahead of the planner that takes the records in. */

import { Worker } from 'node:worker_threads'
import type { Found } from '../inventory/fates.ts'
import { Bug } from '../units.ts'
import { isErrno } from './files.ts'
import type { PathLookOptions } from './look-path.ts'

const THREADS_MAX = 16
/** A look that takes longer waits for something else than this machine, and others can wait beside it. */
const LOOK_MICROS = 10

/** Numbers per record in an answer. */
const FIELDS = 3
const states: readonly Found['state'][] = [
  'absent',
  'there',
  'link-in-path',
  'file-in-path',
  'cannot-look',
  'too-long',
]

/** What was found, for each record of a block in its order. */
export type Answers = Float64Array<ArrayBuffer>

/** Writes what was found for the record `at`. */
export function writeAnswer(found: Found, answers: Answers, at: number): void {
  const base = at * FIELDS
  answers[base] = states.indexOf(found.state) + 16 * (found.sameTarget ? 1 : 0) + 32 * found.kindByte
  answers[base + 1] = found.size
  answers[base + 2] = found.mtimeSeconds
}

/** Fills `found` with the answer for the record `at`. */
export function readAnswer(answers: Answers, at: number, found: Found): void {
  const base = at * FIELDS
  const bits = answers[base] ?? 0
  found.state = states[bits % 16] ?? 'cannot-look'
  found.sameTarget = (bits & 16) !== 0
  found.kindByte = bits >> 5
  found.size = answers[base + 1] ?? 0
  found.hasMtime = true
  found.mtimeSeconds = answers[base + 2] ?? 0
}

/** Room for so many answers. */
export function emptyAnswers(records: number): Answers {
  return new Float64Array(records * FIELDS)
}

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

/** How many threads are of use where so many looks took so long: one on a local disk, more over a network. */
export function threadsFor(looks: number, millis: number): number {
  if (looks < LOOKS_MIN) return THREADS_UNMEASURED
  return Math.max(1, Math.min(THREADS_MAX, Math.ceil((millis * 1000) / looks / LOOK_MICROS)))
}

/** Threads that take turns. */
export class LookAhead {
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

  /** False where no thread could be started: nobody may be asked then. */
  get canLook(): boolean {
    return this.threads.length > 0
  }

  /** What stands in the places of a block's records. The block holds whole records of a listing, and stays the caller's. */
  ask(block: Uint8Array): Promise<Answers> {
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
