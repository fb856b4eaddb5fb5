import { link, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { layStages, local } from './stage.ts'
import { failed, verdicts, work } from './worker.ts'

describe.each(['rsync', 'rclone'] as const)('what stands at the destination already, with %s', (tool) => {
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

  test('what an attempt left half done is no file of somebody else', async () => {
    for (const existing of ['keep', 'error', 'keep-newer'] as const) {
      await using temp = await tempFolder()
      const ends = { from: local(join(temp.path, 'from')), to: local(join(temp.path, 'to')) }
      await writeTree(ends.from.path, [
        { kind: 'file', path: 'a', content: 'whole', mtime: 1_500_000_000 },
        { kind: 'file', path: 'b', content: 'whole', mtime: 1_500_000_000 },
      ])
      await writeTree(ends.to.path, { b: 'theirs' })
      const stages = await layStages({ ...ends, state: temp.path, tool, transfer: { existing } })
      const half = `rm -f "$0"; printf hal >'${ends.to.path}/a'; exit 1`
      const version = `case $1 in version|--version) echo '${tool} v3.60'; exit ;; esac`
      const env = await puppet(join(temp.path, 'bin'), tool, `${version}\n${half}`)
      await work(stages.copy, { env })
      // rsync never writes under the final name, so there it would be somebody else's.
      const left = tool === 'rclone' ? ['differs ./b'] : ['differs ./a', 'differs ./b']
      const attempts = await verdicts(stages.copy, '00000')
      expect(await failed(stages.copy, '00000', attempts.length)).toEqual(left)
      expect(await readFile(join(ends.to.path, 'b'), 'utf8')).toBe('theirs')
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
