/** What stat tells of thousands of names is what lstat tells of each; of what it can not tell there is no answer. */

import { execFile } from 'node:child_process'
import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { emptyFound } from '../../src/edge/look-path.ts'
import { readAnswer, type Answers } from '../../src/edge/look-answers.ts'
import { StatAhead } from '../../src/edge/look-stat.ts'
import { createScanner } from '../../src/inventory/scan.ts'
import { tempFolder } from '../rig/folder.ts'
import { hostileTree } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'

const run = promisify(execFile)
const env = { PATH: process.env['PATH'] ?? '' }

/** A listing as the planner has it. */
async function listing(folder: string): Promise<Buffer> {
  const fields = '%y %s %T@ %D %i %n %m %U %G %P\\0%l\\0'
  const args = [`${folder}/`, '-mindepth', '1', '-printf', fields]
  return (await run('find', args, { encoding: 'buffer' })).stdout
}

/** Kind, size and seconds by path; undefined where there is no answer. */
function told(block: Buffer, answers: Answers): ReadonlyMap<string, string | undefined> {
  const all = new Map<string, string | undefined>()
  const found = emptyFound()
  const scanner = createScanner('listing', ({ buffer, pathStart, pathEnd }) => {
    const isAnswered = readAnswer(answers, all.size, found)
    const { kindByte, size, mtimeSeconds } = found
    const answer = `${String.fromCharCode(kindByte)} ${size} ${mtimeSeconds}`
    all.set(buffer.toString('latin1', pathStart, pathEnd), isAnswered ? answer : undefined)
  })
  expect(scanner.push(block)).toBeUndefined()
  return all
}

function byLstat(root: string, path: string): string | undefined {
  const stats = lstatSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]), {
    bigint: true,
    throwIfNoEntry: false,
  })
  if (stats === undefined || stats.isSymbolicLink() || path === '-') return undefined
  const kind = stats.isDirectory() ? 'd' : stats.isFile() ? 'f' : 's'
  const seconds = stats.mtimeNs / 1_000_000_000n - (stats.mtimeNs % 1_000_000_000n < 0n ? 1n : 0n)
  return `${kind} ${stats.size} ${seconds}`
}

test('hostile names, old times, what is gone: as lstat tells them, one by one', async () => {
  await using temp = await tempFolder()
  await hostileTree(temp.path)
  await writeTree(temp.path, [
    { kind: 'file', path: '-', content: 'standard input' },
    { kind: 'file', path: 'before 1970', content: 'abc' },
    { kind: 'file', path: 'gone/file', content: 'abc' },
    { kind: 'file', path: 'the last', content: 'abc' },
  ])
  await run('touch', ['-d', '@-1.5', join(temp.path, 'before 1970')])
  const block = await listing(temp.path)
  rmSync(join(temp.path, 'gone/file'))
  const ahead = new StatAhead({ root: temp.path, followLinks: false, env })
  // The second block is asked of another program, because the first one had to be told at once.
  const first = ahead.ask(block)
  ahead.flush()
  const [one, other] = [await first, ahead.ask(block)]
  ahead.flush()
  for (const answers of [one, await other]) {
    const all = told(block, answers)
    expect(all.get('before 1970')).toBe('f 3 -2')
    expect([...all]).toEqual([...all.keys()].map((path) => [path, byLstat(temp.path, path)]))
  }
  await ahead.close()
})

test('without the programs there is no answer, and nobody waits for one', async () => {
  await using temp = await tempFolder()
  await writeTree(temp.path, { a: 'a', b: 'b' })
  const block = await listing(temp.path)
  const ahead = new StatAhead({ root: temp.path, followLinks: false, env: { PATH: temp.path } })
  expect([...told(block, await ahead.ask(block)).values()]).toEqual([undefined, undefined])
  await ahead.close()
})
