import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../rig/folder.ts'
import { writeTree } from '../rig/tree.ts'
import { gated } from './gated.ts'
import { layStages, local } from './stage.ts'
import { verdicts, work } from './worker.ts'

const run = promisify(execFile)

describe('what comes before', () => {
  test('verify touches no shard whose copy is not done', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 2)
    expect(await work(stages.copy, { args: ['--shard', '00001'] })).toMatchObject({ code: 0 })
    const proven = await work(stages.verify)
    expect(proven.code).toBe(1)
    expect(await verdicts(stages.verify, '00000')).toEqual([])
    expect(await verdicts(stages.verify, '00001')).toEqual(['done'])
    expect(proven.output).toContain('00000: NOT accounted for (not started, 0 attempts)')
  })

  test('a transfer that stands after another one waits for all of it', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { a: '1' })
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const first = await layStages({ ...ends, state: join(temp.path, 'first'), tool: 'rsync' })
    const before = ['../../../first/stages/data.verify']
    const second = await layStages({
      ...ends,
      state: join(temp.path, 'second'),
      tool: 'rsync',
      stagesBefore: before,
    })
    expect(await work(second.copy)).toMatchObject({ code: 1 })
    await work(first.copy)
    await rm(join(temp.path, 'to/a'))
    expect((await work(first.verify)).code).toBe(1)
    const refused = await work(second.copy)
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('has not delivered everything, so nothing starts here')
    await rm(join(first.verify, 'work/00000'), { recursive: true })
    await mkdir(join(first.verify, 'work/00000'))
    await writeFile(join(temp.path, 'to/a'), '1')
    await run('touch', ['-r', join(temp.path, 'from/a'), join(temp.path, 'to/a')])
    expect((await work(first.verify)).code).toBe(0)
    expect((await work(second.copy)).code).toBe(0)
  })
})

describe('by hand', () => {
  test('one shard from anywhere, with what it did', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 3)
    const { stderr } = await run('bash', [join(stages.copy, 'script.sh'), '--shard', '00002'], { cwd: '/' })
    expect(stderr).toContain('00002: done, 3 entries, 27 bytes')
    expect(stderr).toContain('"stats"')
    expect(await verdicts(stages.copy, '00000')).toEqual([])
    const again = await run('bash', [join(stages.copy, 'script.sh'), '--shard', '00002'], { cwd: '/' })
    expect(again.stderr).toContain('0 of 1 shards not accounted for')
    expect(await verdicts(stages.copy, '00002')).toEqual(['done'])
  })

  test('a shard that has failed for good is tried once more', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 1)
    const list = join(stages.copy, 'shards/00000.expect')
    const kept = await readFile(list)
    await rm(list)
    expect(await work(stages.copy)).toMatchObject({ code: 1 })
    await writeFile(list, kept)
    expect(await work(stages.copy, { args: ['--shard', '00000'] })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'failed', 'failed', 'done'])
  })

  test('a shard that is not there, and a word that is not known', async () => {
    await using temp = await tempFolder()
    const { stages } = await gated(temp.path, 1)
    const none = await work(stages.copy, { args: ['--shard', '00009'] })
    expect(none).toMatchObject({ code: 2 })
    expect(none.output).toContain('there is no shard 00009')
    const usage = await work(stages.copy, { args: ['--help'] })
    expect(usage).toMatchObject({ code: 2 })
    expect(usage.output).toContain('usage: bash ')
    expect((await stat(join(stages.copy, 'work/00000'))).isDirectory()).toBe(true)
  })
})
