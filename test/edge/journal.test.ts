import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal, readJournal } from '../../src/edge/journal.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'soxplan-journal-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Kinds of the events, in a journal where nothing is damaged. */
async function kindsIn(file: string): Promise<readonly string[]> {
  const { events, damagedLines } = await readJournal(file)
  expect(damagedLines).toEqual([])
  return events.map(({ kind }) => kind)
}

const now = (): Date => new Date('2026-11-22T21:00:00Z')

test('what was appended is read back in order, with its time', async () => {
  const file = path.join(folder, 'events.jsonl')
  const journal = await openJournal(file, now)
  await journal.append({ kind: 'released' })
  await journal.append({ kind: 'finished', failed: 2 })
  await journal.close()
  expect(await readFile(file, 'utf8')).toBe(
    '{"at":"2026-11-22T21:00:00.000Z","kind":"released","sum":"34ebfa6a"}\n{"at":"2026-11-22T21:00:00.000Z","kind":"finished","failed":2,"sum":"7512502d"}\n',
  )
  expect(await kindsIn(file)).toEqual(['released', 'finished'])
})

test('a line torn by a crash is passed over, and the next writer does not write onto it', async () => {
  const file = path.join(folder, 'events.jsonl')
  await writeFile(file, '{"at":"x","kind":"released"}\n{"at":"x","ki')
  const journal = await openJournal(file, now)
  await journal.append({ kind: 'detached' })
  await journal.close()
  expect(await kindsIn(file)).toEqual(['released', 'detached'])
  await appendFile(file, '\0\0\0')
  expect(await kindsIn(file)).toEqual(['released', 'detached'])
})

test('no journal: no events', async () => {
  expect(await readJournal(path.join(folder, 'none'))).toEqual({ events: [], damagedLines: [] })
})

test('a line that was changed afterwards is told by its number, wherever a byte is another', async () => {
  const file = path.join(folder, 'events.jsonl')
  const journal = await openJournal(file, now)
  await journal.append({ kind: 'finished', failed: 1 })
  await journal.append({ kind: 'finished', failed: 2 })
  await journal.append({ kind: 'detached' })
  await journal.close()
  const whole = await readFile(file, 'utf8')
  const [first = '', second = ''] = whole.split('\n')
  for (let at = 0; at < second.length; at++) {
    const changed = `${second.slice(0, at)}${second[at] === '1' ? '2' : '1'}${second.slice(at + 1)}`
    await writeFile(file, whole.replace(second, changed))
    const { events, damagedLines } = await readJournal(file)
    expect(events.map(({ kind }) => kind)).toEqual(['finished', 'detached'])
    // Without its last character it looks like one that a crash tore.
    expect(damagedLines).toEqual(at === second.length - 1 ? [] : [2])
  }
  await writeFile(file, `${first}\n{"at":"x","kind":"released"}\n`)
  expect((await readJournal(file)).damagedLines).toEqual([2])
})
