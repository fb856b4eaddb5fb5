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

const now = (): Date => new Date('2026-11-22T21:00:00Z')

test('what was appended is read back in order, with its time', async () => {
  const file = path.join(folder, 'events.jsonl')
  const journal = await openJournal(file, now)
  await journal.append({ kind: 'released' })
  await journal.append({ kind: 'finished', failed: 2 })
  await journal.close()
  expect(await readFile(file, 'utf8')).toBe(
    '{"at":"2026-11-22T21:00:00.000Z","kind":"released"}\n{"at":"2026-11-22T21:00:00.000Z","kind":"finished","failed":2}\n',
  )
  expect((await readJournal(file)).map((event) => event.kind)).toEqual(['released', 'finished'])
})

test('a line torn by a crash is passed over, and the next writer does not write onto it', async () => {
  const file = path.join(folder, 'events.jsonl')
  await writeFile(file, '{"at":"x","kind":"released"}\n{"at":"x","ki')
  const journal = await openJournal(file, now)
  await journal.append({ kind: 'detached' })
  await journal.close()
  expect((await readJournal(file)).map((event) => event.kind)).toEqual(['released', 'detached'])
  await appendFile(file, '\0\0\0')
  expect((await readJournal(file)).map((event) => event.kind)).toEqual(['released', 'detached'])
})

test('no journal: no events', async () => {
  expect(await readJournal(path.join(folder, 'none'))).toEqual([])
})
