import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readShard } from '../../src/edge/marks.ts'
import { tempFolder } from '../rig/folder.ts'
import { writeTree } from '../rig/tree.ts'

test('a running attempt tells what earlier calls of its tool have moved', async () => {
  await using temp = await tempFolder()
  const file = (name: string): string => `work/00001/${name}`
  await writeTree(temp.path, { [file('1.claim')]: 'w\n', [file('1.end')]: 'torn', [file('2.claim')]: 'w\n' })
  const running = {
    at: 'running',
    attempt: 2,
    logPath: join(temp.path, file('2.log')),
    movedBytes: 0,
  }
  expect(await readShard(temp.path, '00001', 3)).toEqual(running)
  await writeTree(temp.path, { [file('2.moved')]: '1048576\n' })
  expect(await readShard(temp.path, '00001', 3)).toEqual({ ...running, movedBytes: 1_048_576 })
})
