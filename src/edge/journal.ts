/** `events.jsonl`: append-only, one writer, one JSON object a line, synced before the act it announces. */

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
      await handle.write(`${JSON.stringify(recorded)}\n`)
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

/** All whole events of a journal, oldest first; a torn line is passed over. No file: no events. */
export async function readJournal(file: string): Promise<readonly Recorded[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
  return text.split('\n').flatMap((line) => {
    const event = parseLine(line)
    return event === undefined ? [] : [event]
  })
}

function parseLine(line: string): Recorded | undefined {
  if (line === '') return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'kind' in value ? (value as Recorded) : undefined
  } catch {
    return undefined
  }
}
