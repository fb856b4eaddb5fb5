import { execFile } from 'node:child_process'
import { chmod, link, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
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

  test('existing: keep and error leave what stands there, and say so', async () => {
    for (const existing of ['keep', 'error', 'keep-newer'] as const) {
      await using temp = await tempFolder()
      const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
      await writeTree(ends.from.path, [
        { kind: 'file', path: 'a', content: 'source', mtime: 1_500_000_000 },
        { kind: 'file', path: 'b', content: 'source' },
        { kind: 'symlink', path: 'l', target: 'source' },
      ])
      await writeTree(ends.to.path, { a: 'theirs' })
      await symlink('theirs', join(ends.to.path, 'l'))
      const stages = await layStages({ ...ends, state: temp.path, tool, transfer: { existing } })
      await work(stages.copy)
      expect(await readFile(join(ends.to.path, 'a'), 'utf8')).toBe('theirs')
      // A link has no time worth comparing, so only a rule that keeps everything keeps it.
      const kept = existing === 'keep-newer' ? ['differs ./a'] : ['differs ./a', 'differs ./l']
      expect(await failed(stages.copy, '00000', 1)).toEqual(kept)
      expect(await verdicts(stages.copy, '00000')).toEqual(['done'])
      expect(await readFile(join(ends.to.path, 'b'), 'utf8')).toBe('source')
    }
  })

  test('writes nothing through a symlink, neither of a folder nor of a file', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    const outside = join(temp.path, 'outside')
    await writeTree(ends.from.path, {
      'dir/a': 'new',
      'dir/deep/b': 'new',
      file: 'new file',
      dangling: 'new',
      ok: 'new',
      names: 'new name',
    })
    await writeTree(outside, { a: 'old', file: 'old', one: 'old' })
    await writeTree(ends.to.path, { here: 'x' })
    await symlink('../outside', join(ends.to.path, 'dir'))
    await symlink('../outside/file', join(ends.to.path, 'file'))
    await symlink('../outside/not-yet', join(ends.to.path, 'dangling'))
    // Another name of a file elsewhere must not change either.
    await link(join(outside, 'one'), join(ends.to.path, 'names'))
    const before = join(temp.path, 'before')
    await writeTree(before, { a: 'old', file: 'old', one: 'old' })
    const stages = await layStages({ ...ends, state: temp.path, tool })
    const copied = await work(stages.copy)
    expect(copied.code).toBe(0)
    expect(await compareTrees(before, outside)).toEqual([])
    const linked = [
      'link-in-path ./dir',
      'link-in-path ./dir/a',
      'link-in-path ./dir/deep',
      'link-in-path ./dir/deep/b',
    ]
    expect(await failed(stages.copy, '00000', 1)).toEqual(linked)
    expect(await compareTrees(ends.from.path, ends.to.path)).toEqual([
      'extra: "here"',
      'kind: "dir": directory / symlink',
      'missing: "dir/a"',
      'missing: "dir/deep"',
      'missing: "dir/deep/b"',
    ])
    expect((await work(stages.verify)).code).toBe(1)
    expect(await failed(stages.verify, '00000', 1)).toEqual(linked)
  })

  test('a folder in the way of a file, and a file in the way of a folder, are named', async () => {
    await using temp = await tempFolder()
    const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
    await writeTree(ends.from.path, { a: 'file', 'b/c': 'in a folder', d: 'fine' })
    await writeTree(ends.to.path, { 'a/x': 'folder', b: 'file' })
    const stages = await layStages({ ...ends, state: temp.path, tool })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await failed(stages.copy, '00000', 1)).toEqual(['denied ./b/c', 'differs ./a', 'differs ./b'])
    expect(await readFile(join(ends.to.path, 'd'), 'utf8')).toBe('fine')
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

test('rclone follows a symlink of a folder where the plan allows it', async () => {
  await using temp = await tempFolder()
  const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
  await writeTree(ends.from.path, { 'dir/a': 'new' })
  await mkdir(ends.to.path)
  await mkdir(join(temp.path, 'elsewhere'))
  await symlink('../elsewhere', join(ends.to.path, 'dir'))
  const transfer = { followDestinationLinks: true }
  const stages = await layStages({ ...ends, state: temp.path, tool: 'rclone', transfer })
  expect(await work(stages.copy)).toMatchObject({ code: 0 })
  expect((await work(stages.verify)).output).toContain(' 0 failed')
  expect(await readFile(join(temp.path, 'elsewhere/a'), 'utf8')).toBe('new')
})

/** Lets another user work in the run folder and write beside it, but leaves the source as it is. */
async function openTo(uid: number, folder: string): Promise<void> {
  if (!isRoot) return
  const run = promisify(execFile)
  await chmod(folder, 0o777)
  await run('chown', ['-R', String(uid), join(folder, 'stages')])
  await run('bash', ['-c', '[[ ! -e $1/to ]] || chown -R "$2" "$1/to"', 'bash', folder, String(uid)])
}
