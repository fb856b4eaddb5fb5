/** Asks the questions of `doctor`, several at a time, and waits for none of them longer than it may take. */

import { bad, type Answer, type Finding, type Topic } from '../diagnostic-finding.ts'
import { isSystemError, systemReason } from './files.ts'

/** One question. */
export interface Check {
  readonly topic: Topic
  /** What is asked about: the beginning of the sentence that it gave no answer. */
  readonly subject: string
  /** Ends at the latest when `signal` fires; whatever it then says is not waited for. */
  readonly ask: (signal: AbortSignal) => Promise<readonly Finding[]>
  /** What to do where no answer came. */
  readonly ifSilent: string
}

/** One question that several checks put: it is asked once, for all of them. */
export function shared<Told>(ask: (signal: AbortSignal) => Promise<Told>): typeof ask {
  let asked: Promise<Told> | undefined
  return (signal) => (asked ??= ask(signal))
}

/** OpenSSH lets ten in that have not logged in yet before it drops some. */
const CHECKS_AT_ONCE = 8

/** The answers in the order of the checks, each as soon as it is known. `interrupt` ends all of them. */
export function askAll(
  checks: readonly Check[],
  timeoutSeconds: number,
  interrupt: AbortSignal,
): readonly Promise<Answer>[] {
  const lanes: Promise<unknown>[] = []
  return checks.map((check, index) => {
    const lane = index % CHECKS_AT_ONCE
    const answer = (lanes[lane] ?? Promise.resolve()).then(() => askOne(check, timeoutSeconds, interrupt))
    lanes[lane] = answer.catch(() => undefined)
    return answer
  })
}

async function askOne(check: Check, timeoutSeconds: number, interrupt: AbortSignal): Promise<Answer> {
  const { topic, subject } = check
  const limit = new AbortController()
  const timer = setTimeout(() => {
    limit.abort()
  }, timeoutSeconds * 1000)
  const signal = AbortSignal.any([limit.signal, interrupt])
  const silent = bad(
    'unknown',
    'SX701',
    `${subject} gave no answer within ${timeoutSeconds} s`,
    check.ifSilent,
  )
  const silence = new Promise<readonly Finding[]>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve([silent])
    })
    if (signal.aborted) resolve([silent])
  })
  try {
    const asked = interrupt.aborted ? silence : check.ask(signal)
    return { topic, subject, findings: await Promise.race([silence, asked]) }
  } catch (error) {
    // A shared question ends with the first of those that put it.
    if (error instanceof Error && error.name === 'AbortError') return { topic, subject, findings: [silent] }
    if (!isSystemError(error)) throw error
    const what = `${subject} could not be looked at: ${systemReason(error)}`
    return { topic, subject, findings: [bad('unknown', 'SX702', what, check.ifSilent)] }
  } finally {
    clearTimeout(timer)
  }
}
