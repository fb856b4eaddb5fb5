/** What stands at the destination, for blocks of records of a listing: how those who look ahead hand it to the planner. */

import type { Found } from '../inventory/fates.ts'

/** Looks at the places of many records at once, ahead of the planner. */
export interface Ahead {
  /** False where this machine lacks what it takes: nobody may be asked then. */
  readonly canLook: boolean
  /** What stands in the places of a block's records. The block holds whole records of a listing, and stays the caller's. */
  ask(block: Buffer): Promise<Answers>
  /** Somebody waits: what was asked is to be answered without waiting for more to ask. */
  flush(): void
  close(): Promise<void>
}

/** Numbers per record in an answer. */
const FIELDS = 6
const states: readonly Found['state'][] = [
  'absent',
  'there',
  'link-in-path',
  'file-in-path',
  'cannot-look',
  'too-long',
]

/** In the place of an answer: nobody looked, or nothing was found. */
const noAnswer = -1

/** The mode has 12 bits; what stands above it tells only whether there is another name. */
const linkedBit = 0o10000
const LINKS_MAX = 2

/** What was found, for each record of a block in its order. */
export type Answers = Float64Array<ArrayBuffer>

/** Writes what was found for the record `at`. */
export function writeAnswer(found: Found, answers: Answers, at: number): void {
  const base = at * FIELDS
  answers[base] = states.indexOf(found.state) + 16 * (found.sameTarget ? 1 : 0) + 32 * found.kindByte
  answers[base + 1] = found.size
  answers[base + 2] = found.mtimeSeconds
  answers[base + 3] = found.hasAttributes
    ? found.mode + linkedBit * Math.min(found.links, LINKS_MAX)
    : noAnswer
  answers[base + 4] = found.uid
  answers[base + 5] = found.gid
}

/** Fills `found` with the answer for the record `at`. False: there is none. */
export function readAnswer(answers: Answers, at: number, found: Found): boolean {
  const base = at * FIELDS
  const bits = answers[base] ?? noAnswer
  if (bits === noAnswer) return false
  found.state = states[bits % 16] ?? 'cannot-look'
  found.sameTarget = (bits & 16) !== 0
  found.kindByte = bits >> 5
  found.size = answers[base + 1] ?? 0
  found.hasMtime = true
  found.mtimeSeconds = answers[base + 2] ?? 0
  const modeAndLinks = answers[base + 3] ?? noAnswer
  found.hasAttributes = modeAndLinks !== noAnswer
  found.mode = modeAndLinks & (linkedBit - 1)
  found.links = Math.floor(modeAndLinks / linkedBit)
  found.uid = answers[base + 4] ?? 0
  found.gid = answers[base + 5] ?? 0
  return true
}

/** Room for so many answers, without any. */
export function emptyAnswers(records: number): Answers {
  return new Float64Array(records * FIELDS).fill(noAnswer)
}
