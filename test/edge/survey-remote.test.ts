import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { scanManifest } from '../../src/edge/manifest-file.ts'
import { shown } from '../inventory/records.ts'
import { tempFolder } from '../rig/folder.ts'
import { HOSTILE_NAMES, hostileTree } from '../rig/hostile.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { complaint, fates, surveyed } from './survey-rig.ts'
import { object, onDisk, store } from './survey-stores.ts'

describe('a remote source', () => {
  test('of a disk: every file, with times, under the names that rclone gives them', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await hostileTree(join(temp.path, 'from'), { withoutSpecials: true })
    const found = await surveyed(temp.path, { from: disk('from') })
    expect(found).toMatchObject({ comparison: 'size+mtime', hasMtime: true, sourceKind: 'directory' })
    const lines = await fates(found)
    const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
    expect(lines).toEqual(
      expect.arrayContaining(['+f plain/a', `+f ${latin1('new␊line')}`, '+d empty directory']),
    )
    // A name that is not valid UTF-8 comes back with U+FFFD in its place: it is not what is on the disk.
    const invalid = HOSTILE_NAMES.filter((name) => typeof name !== 'string').length
    expect(lines.filter((line) => line.startsWith('!f'))).toHaveLength(invalid * 2)
    expect(found.refused.named[0]?.reason).toBe('its name is not valid UTF-8, so rclone can not represent it')
    const times = new Map<string, unknown>()
    await scanManifest(found.manifestPath, (view) => times.set(shown(view).path, shown(view).mtime))
    expect(times.get('plain/a')).toEqual(1_700_000_000)
  })

  test('is compared with a local destination', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    const entries: readonly TreeEntry[] = ['same', 'd/changed', 'd/new'].map((path) => ({
      kind: 'file',
      path,
      content: 'x',
      mtime: 1000,
    }))
    await writeTree(join(temp.path, 'from'), entries)
    await writeTree(join(temp.path, 'to'), entries.slice(0, 2))
    await writeFile(join(temp.path, 'to/d/changed'), 'longer')
    expect(await fates(await surveyed(temp.path, { from: disk('from') }))).toEqual([
      '+f d/new',
      '=d d',
      '=f same',
      '~f d/changed',
    ])
  })

  test('that is one file', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await writeTree(temp.path, { 'from/a file': 'abc' })
    const found = await surveyed(temp.path, { from: disk('from/a file'), to: 'new' })
    expect(await fates(found)).toEqual(['+f a file'])
    expect(found).toMatchObject({
      sourceRoot: { remote: 'disk', path: 'from' },
      single: { from: 'a file', to: 'new' },
    })
  })

  test('costs no request per object, and tells no times that would', async () => {
    await using temp = await tempFolder()
    const { rclonePath, place, calls } = await store(temp.path, [object('a'), object('b/c')])
    const found = await surveyed(temp.path, { from: place }, { rclonePath })
    expect(found).toMatchObject({ entries: 2, comparison: 'size', hasMtime: false })
    const lists = async (): Promise<string[]> => {
      const text = await readFile(calls, 'utf8')
      return text.split('\n').filter((line) => line.startsWith('lsjson -R'))
    }
    expect(await lists()).toEqual(['lsjson -R --no-mimetype --no-modtime store:train'])
    // Asked for by the plan, they are worth a request each.
    await surveyed(temp.path, { from: place, compare: 'size+mtime' }, { rclonePath })
    expect((await lists())[1]).toBe('lsjson -R --no-mimetype store:train')
  })

  test('keys that no disk can hold are refused by name, the rest goes on', async () => {
    await using temp = await tempFolder()
    const keys = ['ok', 'x', 'x/y', 'x/y/z', 'a//b', '/abs', 'dot/../y', './z']
    const { rclonePath, place } = await store(temp.path, [
      ...keys.map((key) => object(key)),
      object('x', { IsDir: true, Size: -1 }),
      object('doc', { Size: -1 }),
    ])
    const found = await surveyed(temp.path, { from: place }, { rclonePath })
    expect(await fates(found)).toEqual([
      '!f ./z',
      '!f /abs',
      '!f a//b',
      '!f dot/../y',
      '!f x',
      '!f x/y',
      '+d x',
      '+f ok',
      '+f x/y/z',
      '-U doc',
    ])
    expect(found.refused.count).toBe(6)
    expect(found.refused.named).toContainEqual({
      path: 'x/y',
      reason: 'other entries stand below this name, so no disk can hold it as a file',
    })
    expect(found.tallies.new).toMatchObject({ files: 2, bytes: 2 })
  })
})

describe('names that rclone spells its own way', () => {
  const copied = async (from: string, to: string, config: string): Promise<void> => {
    const flags = ['--no-unicode-normalization', '--config', config]
    await promisify(execFile)('rclone', ['copy', from, to, ...flags])
  }

  test('stand on the disk, from a remote, as rclone wrote them', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await hostileTree(join(temp.path, 'from'), { withoutSpecials: true })
    await copied('disk:from', join(temp.path, 'to'), join(temp.path, 'rclone.conf'))
    const lines = await fates(await surveyed(temp.path, { from: disk('from') }))
    expect(lines.filter((line) => !/^(=|!f|!d|\+d (empty|links))/.test(line))).toEqual([])
    expect(lines.filter((line) => line.startsWith('=f')).length).toBeGreaterThan(80)
  })

  test('are found on a remote, from a disk, under the names that rclone gave them', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await hostileTree(join(temp.path, 'from'), { withoutSpecials: true })
    await copied(join(temp.path, 'from'), 'disk:to', join(temp.path, 'rclone.conf'))
    const lines = await fates(await surveyed(temp.path, { to: disk('to'), symlinks: 'skip' }))
    expect(lines.filter((line) => !/^(=f|!f|[-!]d|-l)/.test(line))).toEqual([])
    expect(lines.filter((line) => line.startsWith('=f')).length).toBeGreaterThan(80)
  })
})

describe('a remote destination', () => {
  test('is listed once and compared by name, size and time', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    const entries: readonly TreeEntry[] = [
      'same',
      'caf\u00e9',
      'cafe\u0301',
      'd/longer',
      'd/older',
      'new',
    ].map((path) => ({
      kind: 'file',
      path,
      content: 'x',
      mtime: 1000,
    }))
    await writeTree(join(temp.path, 'from'), [...entries, { kind: 'directory', path: 'empty/inner' }])
    await writeTree(join(temp.path, 'to'), [
      ...entries.slice(0, 2),
      { kind: 'file', path: 'd/longer', content: 'xx', mtime: 1000 },
      { kind: 'file', path: 'd/older', content: 'x', mtime: 999 },
      { kind: 'directory', path: 'new' },
    ])
    const found = await surveyed(temp.path, { to: disk('to') })
    const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
    expect(await fates(found)).toEqual(
      [
        '!f new',
        `+f ${latin1('cafe\u0301')}`,
        '-d d',
        '-d empty',
        '-d empty/inner',
        `=f ${latin1('caf\u00e9')}`,
        '=f same',
        '~f d/longer',
        '~f d/older',
      ].sort(),
    )
    expect(found.skipped.count).toBe(0)
    expect(found.emptyDirectories).toEqual({
      count: 1,
      named: [{ path: 'empty/inner', reason: 'an empty directory, which a remote does not hold' }],
    })
  })

  test('that does not exist makes everything new', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await writeTree(join(temp.path, 'from'), { f: '', bad: '' })
    await writeTree(join(temp.path, 'from'), [{ kind: 'file', path: Buffer.from([0xff]) }])
    const found = await surveyed(temp.path, { to: disk('to/deep') })
    expect(found.destinationState).toBe('absent')
    expect(await fates(found)).toEqual(['!f \xff', '+f bad', '+f f'])
  })

  test('asks what to do with symlinks, once there are any', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await writeTree(join(temp.path, 'from'), [
      { kind: 'file', path: 'f' },
      { kind: 'symlink', path: 'l', target: 'f' },
    ])
    expect(await complaint(temp.path, { to: disk('to') })).toBe(
      'SX204 transfer code: the source has 1 symlink, and a remote holds none',
    )
    expect(await fates(await surveyed(temp.path, { to: disk('to'), symlinks: 'skip' }))).toEqual([
      '+f f',
      '-l l',
    ])
    expect(await fates(await surveyed(temp.path, { to: disk('to'), exclude: ['l'] }))).toEqual(['+f f'])
    const { rclonePath, place } = await store(temp.path, [object('l.rclonelink')])
    const kept = await surveyed(temp.path, { to: place, symlinks: 'keep' }, { rclonePath })
    expect(await fates(kept)).toEqual(['+f f', '=l l'])
  })

  test('one file is compared with its own place only', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await writeTree(temp.path, [
      { kind: 'file', path: 'one', content: 'x', mtime: 1000 },
      { kind: 'file', path: 'to/two', content: 'x', mtime: 1000 },
      { kind: 'file', path: 'to/one', content: 'xx', mtime: 1000 },
    ])
    expect(await fates(await surveyed(temp.path, { from: 'one', to: disk('to/two') }))).toEqual(['=f one'])
    expect(await fates(await surveyed(temp.path, { from: 'one', to: disk('to') }))).toEqual(['~f one'])
    expect(await fates(await surveyed(temp.path, { from: 'one', to: disk('none') }))).toEqual(['+f one'])
    const found = await surveyed(temp.path, { from: 'one', to: disk('none'), toIsDirectory: true })
    expect(found).toMatchObject({ single: { from: 'one', to: 'one' }, destinationRoot: { path: 'none' } })
  })
})
