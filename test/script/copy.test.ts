import { execFile } from 'node:child_process'
import { chmod, link, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { hostileTree } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { layStages, local } from './stage.ts'
import { failed, log, verdict, verdicts, work } from './worker.ts'

const nobody = 65_534
const isRoot = process.getuid?.() === 0

describe.each(['rsync', 'rclone'] as const)('a disk to disk copy with %s', (tool) => {
  test('delivers every name, content, time and mode, and the verify stage proves it', async () => {
    await using temp = await tempFolder()
    await hostileTree(join(temp.path, 'from'), { withoutSpecials: true })
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const stages = await layStages({ ...ends, state: temp.path, tool, shards: 3 })
    const copied = await work(stages.copy)
    expect(copied).toMatchObject({ code: 0 })
    expect(await compareTrees(ends.from.path, ends.to.path, { mtimes: true })).toEqual([])
    const proven = await work(stages.verify)
    expect(proven).toMatchObject({ code: 0 })
    expect(proven.output).toContain('0 failed; 0 of 3 shards not accounted for')
    expect(await verdict(stages.verify, '00001', 1)).toMatchObject({
      result: 'done',
      failed: '0',
      shard: '00001',
    })
  })

  test('contents are proven by hashes where the plan asks for it, and a damaged file is named', async () => {
    await using temp = await tempFolder()
    await hostileTree(join(temp.path, 'from'), { withoutSpecials: true })
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const stages = await layStages({ ...ends, state: temp.path, tool, shards: 1, proof: 'checksum' })
    await work(stages.copy)
    await writeFile(join(ends.to.path, 'plain/a'), 'b')
    await writeFile(join(ends.to.path, 'new\nline'), 'new\nLINE')
    await writeFile(join(ends.from.path, 'tab\there'), 'TAB\there')
    const proven = await work(stages.verify)
    expect(proven.code).toBe(1)
    expect(await failed(stages.verify, '00000', 1)).toEqual([
      'differs ./new\nline',
      'differs ./plain/a',
      // The hashes differ, but the time says that the source is not the listed one any more.
      'differs ./tab\there',
    ])
    expect(proven.output).toContain('FAILED ')
  })

  test('does not copy again what an earlier attempt brought', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    await writeTree(ends.from.path, { a: 'same', 'd/b': 'new' })
    await writeTree(ends.to.path, { a: 'SAME' })
    await utimes(join(ends.from.path, 'a'), 1_700_000_000, 1_700_000_000)
    await utimes(join(ends.to.path, 'a'), 1_700_000_000, 1_700_000_000)
    const stages = await layStages({ ...ends, state: temp.path, tool })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await readFile(join(ends.to.path, 'a'), 'utf8')).toBe('SAME')
    expect(await readFile(join(ends.to.path, 'd/b'), 'utf8')).toBe('new')
  })

  test('a single file gets its new name', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, "to it's")) }
    await writeTree(ends.from.path, [
      { kind: 'file', path: '-odd né', content: 'x', mode: 0o750, mtime: 1_600_000_000 },
      { kind: 'file', path: 'other', content: 'y' },
    ])
    const single = { from: Buffer.from('-odd né').toString('latin1'), to: 'new name' }
    const named = { from: '-odd né', to: 'new name' }
    const stages = await layStages({ ...ends, state: temp.path, tool, single, named, proof: 'checksum' })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await compareTrees(ends.from.path, ends.to.path)).toEqual([
      'extra: "new name"',
      'missing: "-odd né"',
      'missing: "other"',
    ])
    expect(await work(stages.verify)).toMatchObject({ code: 0 })
    await writeFile(join(ends.to.path, 'new name'), 'z')
    await writeFile(join(stages.verify, 'work/00000/1.end'), '')
    expect(await work(stages.verify)).toMatchObject({ code: 1 })
    expect(await failed(stages.verify, '00000', 2)).toEqual(['differs ./new name'])
  })

  test('names what vanished, changed, or may not be read', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    await writeTree(ends.from.path, {
      gone: '1',
      grown: '1',
      dark: '1',
      'closed/in': '1',
      good: '1',
      'l\nn': '1',
    })
    const stages = await layStages({ ...ends, state: temp.path, tool })
    await rm(join(ends.from.path, 'gone'))
    await rm(join(ends.from.path, 'l\nn'))
    await writeFile(join(ends.from.path, 'grown'), '12')
    await chmod(join(ends.from.path, 'dark'), 0o000)
    await chmod(join(ends.from.path, 'closed'), 0o000)
    await openTo(nobody, temp.path)
    const copied = await work(stages.copy, isRoot ? { uid: nobody } : {})
    expect(copied.code).toBe(0)
    // An old rclone copies nothing when it may not look at one name: the second attempt leaves such names out.
    const attempts = await verdicts(stages.copy, '00000')
    expect(attempts.at(-1)).toBe('done')
    expect(await failed(stages.copy, '00000', attempts.length)).toEqual([
      'changed ./grown',
      'unreadable ./closed/in',
      'unreadable ./dark',
      'vanished ./gone',
      'vanished ./l\nn',
    ])
    expect(await readFile(join(ends.to.path, 'good'), 'utf8')).toBe('1')
    // The last stage of the transfer carries the names on and ends 1.
    expect((await work(stages.verify, isRoot ? { uid: nobody } : {})).code).toBe(1)
    expect(await failed(stages.verify, '00000', 1)).toHaveLength(5)
    expect(await verdict(stages.verify, '00000', 1)).toMatchObject({ result: 'done', failed: '5' })
  })

  test('a destination that may not be written', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    await writeTree(ends.from.path, { a: '1', 'd/b': '2' })
    await mkdir(ends.to.path)
    const stages = await layStages({ ...ends, state: temp.path, tool })
    await openTo(nobody, temp.path)
    await chmod(ends.to.path, 0o555)
    await work(stages.copy, isRoot ? { uid: nobody } : {})
    expect(await failed(stages.copy, '00000', 1)).toEqual(['denied ./a', 'denied ./d', 'denied ./d/b'])
    expect(await verdicts(stages.copy, '00000')).toEqual(['done'])
  })

  test('a new folder lets nobody in who may not enter it at the source', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    await writeTree(ends.from.path, [
      { kind: 'directory', path: 'closed/inner', mode: 0o550 },
      { kind: 'file', path: 'closed/inner/a', content: 'a' },
      { kind: 'directory', path: 'closed', mode: 0o700 },
      { kind: 'directory', path: 'team', mode: 0o2775 },
    ])
    await chmod(join(ends.from.path, 'closed/inner'), 0o550)
    await chmod(ends.from.path, 0o711)
    const stages = await layStages({ ...ends, state: temp.path, tool })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    const modeOf = async (path: string): Promise<string> =>
      ((await stat(join(ends.to.path, path))).mode & 0o777).toString(8)
    expect(await Promise.all(['.', 'closed', 'closed/inner', 'team'].map(modeOf))).toEqual([
      '711',
      '700',
      '750',
      '775',
    ])
  })

  test('permissions arrive for an ordinary user, too', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    await writeTree(ends.from.path, [
      { kind: 'file', path: 'run me', content: '#!', mode: 0o755 },
      { kind: 'file', path: 'secret', content: 's', mode: 0o604 },
      { kind: 'file', path: 'new\nline', content: 's', mode: 0o444 },
    ])
    const stages = await layStages({ ...ends, state: temp.path, tool })
    await openTo(nobody, temp.path)
    const copied = await work(stages.copy, isRoot ? { uid: nobody } : {})
    expect(await log(stages.copy, '00000', 1)).not.toContain('ERROR')
    expect(copied).toMatchObject({ code: 0 })
    expect(await compareTrees(ends.from.path, ends.to.path, { mtimes: true, modes: true })).toEqual([])
  })
})

/** Lets another user work in the run folder and write beside it, but leaves the source as it is. */
async function openTo(uid: number, folder: string): Promise<void> {
  if (!isRoot) return
  const run = promisify(execFile)
  await chmod(folder, 0o777)
  await run('chown', ['-R', String(uid), join(folder, 'stages')])
  await run('bash', ['-c', '[[ ! -e $1/to ]] || chown -R "$2" "$1/to"', 'bash', folder, String(uid)])
}

test('hard links are kept among the names of a shard', async () => {
  await using temp = await tempFolder()
  const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
  await hostileTree(ends.from.path, { withoutSpecials: true })
  await link(join(ends.from.path, 'plain/a'), join(ends.from.path, 'its other name'))
  const stages = await layStages({ ...ends, state: temp.path, tool: 'rsync', hardLinks: true })
  expect(await work(stages.copy)).toMatchObject({ code: 0 })
  expect(await compareTrees(ends.from.path, ends.to.path, { mtimes: true })).toEqual([])
  const [one, other] = ['plain/a', 'its other name'].map((name) => stat(join(ends.to.path, name)))
  expect((await one)?.ino).toBe((await other)?.ino)
})

test('what a name leaves in the log of rsync is never calculated with', async () => {
  await using temp = await tempFolder()
  const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
  await writeTree(ends.from.path, { a: 'x' })
  const program = join(temp.path, 'rsync')
  const mark = join(temp.path, 'was-here')
  // The end of a long path, as the tail of a log may show it, and no figure behind it.
  const lines = [`a[$(touch\${IFS}${mark})] 9% of it`, '08 9% of it']
  const says = lines.map((line) => `printf '%s\\n' '${line}'`).join('\n')
  await writeFile(program, `#!/bin/bash\n[[ $1 == --version ]] && exec rsync --version\n${says}\nexit 11\n`)
  await chmod(program, 0o755)
  const stages = await layStages({ ...ends, state: temp.path, tool: 'rsync', program })
  await work(stages.copy)
  expect(await stat(mark).catch(() => 'absent')).toBe('absent')
  expect(await readFile(join(stages.copy, 'work/00000/1.moved'), 'utf8')).toBe('08\n')
  expect(await verdict(stages.copy, '00000', 1)).toMatchObject({ result: 'failed', exit: '11' })
})

describe('names that are more than one call of rsync takes', () => {
  test('arrive all the same; what they moved is counted, and the verdict has rsync’s own exit code', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const deep = Array.from({ length: 5 }, (_, level) => String(level).repeat(250)).join('/')
    const files = Array.from({ length: 900 }, (_, index) => `${deep}/${index}`)
    await writeTree(ends.from.path, Object.fromEntries(files.map((file) => [file, 'four'])))
    const stages = await layStages({ ...ends, state: temp.path, tool: 'rsync' })
    // One call meets what is gone; the others go well.
    const gone = files[0] ?? ''
    await rm(join(ends.from.path, gone))
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await compareTrees(ends.from.path, ends.to.path)).toEqual([])
    expect(await failed(stages.copy, '00000', 1)).toEqual([`vanished ./${gone}`])
    const moved = (await readFile(join(stages.copy, 'work/00000/1.moved'), 'utf8')).trim().split('\n')
    expect(moved.length).toBeGreaterThan(1)
    expect(moved.reduce((sum, line) => sum + Number(line), 0)).toBe(899 * 4)
    expect(await log(stages.copy, '00000', 1)).toContain(`${gone}" failed: No such file`)
    expect(await readdir(join(stages.copy, 'work/00000'))).not.toContainEqual(expect.stringMatching(/log\./))
    expect(await verdict(stages.copy, '00000', 1)).toMatchObject({ result: 'done', exit: '23' })
  })
})
