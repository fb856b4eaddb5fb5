import fc from 'fast-check'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listRuns, newRunId } from '../../src/edge/run-folder.ts'
import { tempFolder } from '../rig/folder.ts'

const years = { min: Date.UTC(2026), max: Date.UTC(2099) }

test('ids of runs sort by their times, also within one second', () => {
  fc.assert(
    fc.property(fc.integer(years), fc.integer({ min: 1, max: 2000 }), (millis, later) => {
      expect(newRunId(new Date(millis)) < newRunId(new Date(millis + later))).toBe(true)
    }),
  )
})

test('two runs of one millisecond differ, and both are listed before an older one', async () => {
  await using temp = await tempFolder()
  const now = new Date('2026-11-22T21:19:34.678Z')
  const older = newRunId(new Date(now.getTime() - 1))
  const newer = [newRunId(now), newRunId(now), newRunId(now)]
  for (const id of [...newer, older]) await mkdir(join(temp.path, 'runs', id), { recursive: true })
  await mkdir(join(temp.path, 'runs', 'notes'))
  const listed = await listRuns(temp.path)
  expect(listed.at(-1)).toBe(older)
  expect(listed.slice(0, -1).toSorted()).toEqual([...new Set(newer)].toSorted())
  expect(new Set(newer).size).toBeGreaterThan(1)
})
