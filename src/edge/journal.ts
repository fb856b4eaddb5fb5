/**
 * `events.jsonl`: append-only, one writer, one JSON object a line, synced before the act it announces. Each line ends with a
 * sum of itself, so that bytes which somebody or a disk changed are not taken for what was written.
 */

import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Event, Recorded } from '../run/event.ts'
import { isErrno } from './files.ts'

export interface Journal {
  /** Returns when the event is on disk. Throws what the file system says: what is not recorded must not be done. */
  append(event: Event): Promise<void>
  close(): Promise<void>
}

/** Opens the journal of a run for its one writer. A torn last line, left by a crash, is closed with a newline. */
export async function openJournal(file: string, now: () => Date): Promise<Journal> {
  const handle = await open(file, 'a+', 0o600)
  if (await endsTorn(handle)) await handle.write('\n')
  return {
    append: async (event) => {
      const recorded: Recorded = { at: now().toISOString(), ...event }
      await handle.write(`${withSum(JSON.stringify(recorded))}\n`)
      await handle.datasync()
    },
    close: () => handle.close(),
  }
}

async function endsTorn(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat()
  if (size === 0) return false
  const last = Buffer.alloc(1)
  await handle.read(last, 0, 1, size - 1)
  return last.toString() !== '\n'
}

export interface JournalRead {
  /** Oldest first. */
  readonly events: readonly Recorded[]
  /** Numbers of lines, from 1, that are not what was written. */
  readonly damagedLines: readonly number[]
}

/**
 * All whole events of a journal. A line that a crash tore is passed over: what it announces was never done. One that is
 * whole and has another sum is damage, and so is one without a sum behind one that has it (the first versions wrote none).
 * No file: no events.
 */
export async function readJournal(file: string): Promise<JournalRead> {
  const events: Recorded[] = []
  const damagedLines: number[] = []
  let hasSums = false
  for (const [index, line] of (await textOf(file)).split('\n').entries()) {
    if (!line.endsWith('}')) continue
    const sum = sumAt.exec(line)
    const isAsWritten = sum === null ? !hasSums : withSum(`${line.slice(0, sum.index)}}`) === line
    const event = isAsWritten ? parseLine(line) : undefined
    if (event === undefined) damagedLines.push(index + 1)
    else events.push(event)
    hasSums ||= sum !== null
  }
  return { events, damagedLines }
}

const SUM_DIGITS = 8
const sumAt = /,"sum":"[0-9a-f]+"\}$/

/** `{…}` becomes `{…,"sum":"0123abcd"}`. */
function withSum(json: string): string {
  const sum = createHash('sha256').update(json).digest('hex').slice(0, SUM_DIGITS)
  return `${json.slice(0, -1)},"sum":"${sum}"}`
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

function parseLine(line: string): Recorded | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'kind' in value ? (value as Recorded) : undefined
  } catch {
    return undefined
  }
}
