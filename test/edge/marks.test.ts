import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readShard, tailOf } from '../../src/edge/marks.ts'
import { lastLinesOf } from '../../src/edge/step-logs.ts'
import { toolOf } from '../../src/tools/tools.ts'
import { tempFolder } from '../rig/folder.ts'
import { writeTree } from '../rig/tree.ts'

test('a running attempt tells what calls of its tool have moved, and where those under way can be read', async () => {
  await using temp = await tempFolder()
  const file = (name: string): string => `work/00001/${name}`
  const logPaths = (...names: readonly string[]): readonly string[] =>
    names.map((name) => join(temp.path, file(name)))
  await writeTree(temp.path, { [file('1.claim')]: 'w\n', [file('1.end')]: 'torn', [file('2.claim')]: 'w\n' })
  const running = { at: 'running', attempt: 2, movedBytes: 0 }
  expect(await readShard(temp.path, '00001', 3)).toEqual({ ...running, logPaths: [] })
  await writeTree(temp.path, { [file('2.log')]: 'log', [file('1.log')]: 'log' })
  expect(await readShard(temp.path, '00001', 3)).toEqual({ ...running, logPaths: logPaths('2.log') })
  // The log holds what is over from the first sum on, so that it must not be counted once more.
  await writeTree(temp.path, { [file('2.log.77')]: 'log', [file('2.moved')]: '1048576\n24\nto' })
  expect(await readShard(temp.path, '00001', 3)).toEqual({
    ...running,
    movedBytes: 1_048_600,
    logPaths: logPaths('2.log.77'),
  })
})

test('attempts that ended with their worker do not count: the shard is open until its own budget is spent', async () => {
  await using temp = await tempFolder()
  const end = async (attempt: number, result: string, exit: number): Promise<void> => {
    const lines = [
      'soxplan-end 1',
      'shard 00001',
      `attempt ${attempt}`,
      `result ${result}`,
      `exit ${exit}`,
      ...['files 0', 'bytes 0', 'failed 1', 'seconds 1', 'by w', 'when 1', `end 00001.${attempt}`, ''],
    ]
    const file = (name: string): string => `work/00001/${attempt}.${name}`
    await writeTree(temp.path, { [file('claim')]: 'w\n', [file('end')]: lines.join('\n') })
  }
  const at = async (): Promise<string> => (await readShard(temp.path, '00001', 2)).at
  await end(1, 'fenced', 0)
  await end(2, 'released', 143)
  await end(3, 'failed', 5)
  expect(await at()).toBe('open')
  // That of a service that asks for fewer requests is another budget.
  await end(4, 'failed', 69)
  expect(await at()).toBe('open')
  await end(5, 'failed', 5)
  expect(await at()).toBe('over')
})

test('the end of a log is enough for how far rclone is, however many files are under way', async () => {
  await using temp = await tempFolder()
  const underWay = Array.from({ length: 200 }, (_, n) => ({
    bytes: 10,
    group: 'global_stats',
    name: `k${n}`.padEnd(120, 'x'),
  }))
  const line = (bytes: number): string =>
    `${JSON.stringify({ level: 'warning', msg: 'much', stats: { bytes, checks: 0, transferring: underWay, transfers: 7 } })}\n`
  await writeTree(temp.path, { log: line(1000) + line(2000) + line(482_390) })
  expect(toolOf('rclone').progress(await tailOf(join(temp.path, 'log')))).toBe(482_390)
})

test('of a log the last lines are shown, printable and not by the kilobyte', async () => {
  await using temp = await tempFolder()
  await writeTree(temp.path, { log: `first\n${'x'.repeat(5000)}\nred \x1b[31m\nlast\n` })
  expect(await lastLinesOf(join(temp.path, 'log'), 3)).toEqual([
    `${'x'.repeat(500)} …`,
    "$'red \\x1b[31m'",
    'last',
  ])
})
