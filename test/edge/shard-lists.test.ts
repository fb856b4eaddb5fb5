import { readdir, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { Bug } from '../../src/units.ts'
import { tempFolder } from '../rig/folder.ts'
import { HOSTILE_NAMES } from '../rig/hostile.ts'
import { directory, file, type TestEntry } from '../shard/entries.ts'
import { randomFrom, shuffled, sourceOf } from '../shard/sources.ts'
import { contentsOf, directoriesOf, plannedSource, records, writeLists } from './shard-source.ts'

const time = '1700000000'

describe('the files of a shard, byte for byte', () => {
  test('files, directories and symlinks', async () => {
    await using temp = await tempFolder()
    const source = await plannedSource(
      temp.path,
      [
        directory('d'),
        file('d/f', 12),
        directory('d/empty'),
        { path: 'd/l', kind: 'l', target: '../x//y' },
        file('top', 0),
        { path: 'there', size: 5, fate: '=' },
        { path: 'socket', kind: 's', fate: '-' },
      ],
      1,
    )
    expect(await writeLists(source)).toMatchObject({ ok: true })
    expect(await contentsOf(source.folder)).toEqual({
      '00001.dirs': './d\0./d/empty\0',
      '00001.expect': `d - - ./d\0f 12 ${time} ./d/f\0d - - ./d/empty\0l - - ./d/l//../x//y\0f 0 ${time} ./top\0`,
      '00001.list': './d/f\0./d/l\0./top\0',
    })
  })

  test('symlinks apart, where the tool does not carry them', async () => {
    await using temp = await tempFolder()
    const source = await plannedSource(
      temp.path,
      [file('f', 1), { path: 'a\nb', kind: 'l', target: 'c\nd' }],
      1,
    )
    await writeLists(source, { links: 'links' })
    expect(await contentsOf(source.folder)).toEqual({
      '00001.expect': `f 1 ${time} ./f\0l - - ./a\nb//c\nd\0`,
      '00001.links': './a\nb\0',
      '00001.list': './f\0',
    })
  })

  test('a shard without anything for the tool has no list', async () => {
    await using temp = await tempFolder()
    const source = await plannedSource(temp.path, [directory('only')], 1)
    await writeLists(source)
    expect(Object.keys(await contentsOf(source.folder))).toEqual(['00001.dirs', '00001.expect'])
  })

  test('no shards, no files', async () => {
    await using temp = await tempFolder()
    const source = await plannedSource(temp.path, [{ path: 'there', fate: '=' }], 4)
    expect(await writeLists(source)).toMatchObject({ ok: true })
    expect(await contentsOf(source.folder)).toEqual({})
  })

  test('directories above the work are listed although they are no work, parents first, bytewise', async () => {
    await using temp = await tempFolder()
    const old = (path: string): TestEntry => ({ path, kind: 'd', fate: '=' })
    const source = await plannedSource(
      temp.path,
      [
        old('a'),
        old('a/b'),
        old('a b'),
        file('a b/f', 1),
        file('a/b/f', 1),
        old('unused'),
        old('A'),
        file('A/f', 1),
      ],
      1,
    )
    await writeLists(source)
    expect((await contentsOf(source.folder))['00001.dirs']).toBe('./A\0./a\0./a b\0./a/b\0')
  })

  test('times are compared only where the proof asks for them', async () => {
    await using temp = await tempFolder()
    const source = await plannedSource(temp.path, [file('f', 3)], 1)
    await writeLists(source, { proof: 'checksum' })
    expect((await contentsOf(source.folder))['00001.expect']).toBe('f 3 - ./f\0')
  })

  test('hostile names pass as they are', async () => {
    await using temp = await tempFolder()
    const names = HOSTILE_NAMES.map((name) => Buffer.from(name).toString('latin1'))
    const source = await plannedSource(
      temp.path,
      names.flatMap((name) => [file(name, 1), directory(`in ${name}`), file(`in ${name}/${name}`, 2)]),
      1,
    )
    await writeLists(source)
    const written = await contentsOf(source.folder)
    const files = names.flatMap((name) => [`./${name}`, `./in ${name}/${name}`])
    expect(written['00001.list']).toBe(files.map((name) => `${name}\0`).join(''))
    expect(written['00001.dirs']).toBe(
      names
        .map((name) => `./in ${name}\0`)
        .sort()
        .join(''),
    )
  })

  test('a tool and a destination with names of their own', async () => {
    await using temp = await tempFolder()
    const picture = (path: Uint8Array): Buffer =>
      Buffer.from(Buffer.from(path).toString('latin1').replaceAll('\n', '\xe2\x90\x8a'), 'latin1')
    const source = await plannedSource(
      temp.path,
      [
        directory('a\nb'),
        file('a\nb/plain', 4),
        file('a\nb/\n'.repeat(1), 5),
        { path: 'l\n', kind: 'l', target: 'x\n' },
      ],
      1,
    )
    await writeLists(source, {
      listEntry: (path) => Buffer.concat([picture(path), Buffer.from('\n')]),
      destinationName: picture,
      links: 'links',
    })
    const lf = '\xe2\x90\x8a'
    expect(await contentsOf(source.folder)).toEqual({
      '00001.dirs': `./a${lf}b\0`,
      '00001.expect': `d - - ./a${lf}b\0f 4 ${time} ./a${lf}b/plain\0f 5 ${time} ./a${lf}b/${lf}\0l - - ./l${lf}//x\n\0`,
      '00001.links': './l\n\0',
      '00001.list': `a${lf}b/plain\na${lf}b/${lf}\n`,
    })
  })

  test('an encoding that lengthens a name beyond any buffer', async () => {
    await using temp = await tempFolder()
    const name = '\x01'.repeat(4000)
    const long = (path: Uint8Array): Buffer =>
      path.includes(1) ? Buffer.alloc(400_000, 'x') : Buffer.from(path)
    const source = await plannedSource(temp.path, [file('before', 1), file(name, 1), file('behind', 1)], 1)
    await writeLists(source, { destinationName: long, listEntry: long })
    const written = await contentsOf(source.folder)
    const x = 'x'.repeat(400_000)
    expect(written['00001.expect']).toBe(`f 1 ${time} ./before\0f 1 ${time} ./${x}\0f 1 ${time} ./behind\0`)
    expect(written['00001.list']).toBe(`before${x}behind`)
  })
})

describe('many shards', () => {
  test('every entry stands once in the list of its shard, with its directories', async () => {
    await using temp = await tempFolder()
    const entries = sourceOf({
      seed: 7,
      directories: 60,
      files: 3000,
      symlinks: 50,
      linkGroups: 50,
      flatShare: 0.4,
      sizeMax: 100,
      skew: 3,
    })
    const source = await plannedSource(temp.path, entries, 24)
    expect(await writeLists(source)).toMatchObject({ ok: true })
    const written = await contentsOf(source.folder)
    const work = entries.filter((entry) => '+~?'.includes(entry.fate ?? '+'))
    const expected = source.plan.shards.flatMap(({ id }) => records(written[`${id}.expect`]))
    expect(expected.map((record) => record.path).sort()).toEqual(work.map(({ path }) => path).sort())
    for (const { id, files, bytes, symlinks, directories } of source.plan.shards) {
      const held = records(written[`${id}.expect`])
      const ofKind = (kind: string): number => held.filter((record) => record.kind === kind).length
      expect([ofKind('f'), ofKind('l'), ofKind('d')]).toEqual([files, symlinks, directories])
      expect(held.reduce((sum, record) => sum + record.size, 0)).toBe(bytes)
      expect(written[`${id}.list`]).toBe(
        held
          .filter(({ kind }) => kind !== 'd')
          .map(({ path }) => `./${path}\0`)
          .join(''),
      )
      expect(written[`${id}.dirs`] ?? '').toBe(
        [...new Set(held.flatMap(directoriesOf))]
          .sort()
          .map((path) => `./${path}\0`)
          .join(''),
      )
    }
  })

  test('the order of the listing does not change what a shard holds', async () => {
    await using one = await tempFolder()
    await using other = await tempFolder()
    const entries = sourceOf({
      seed: 3,
      directories: 20,
      files: 500,
      symlinks: 9,
      linkGroups: 9,
      flatShare: 0.5,
      sizeMax: 100,
      skew: 2,
    }).map((entry, index) => ({ inode: 100 + index, ...entry }))
    const sources = [
      await plannedSource(one.path, entries, 7),
      await plannedSource(other.path, shuffled(entries, randomFrom(5)), 7),
    ]
    const written = await Promise.all(
      sources.map(async (source) => {
        await writeLists(source)
        const contents = Object.entries(await contentsOf(source.folder))
        return contents.map(([name, text]) => [name, text.split('\0').sort()])
      }),
    )
    expect(written[1]).toEqual(written[0])
  })

  test('more files than the system lets a process open', async () => {
    await using temp = await tempFolder()
    const program = join(import.meta.dirname, 'shard-lists-program.ts')
    const limited = await execa(
      'bash',
      ['-c', 'ulimit -n 80 && exec node --import tsx "$@"', 'bash', program, temp.path],
      { reject: false, cwd: join(import.meta.dirname, '../..') },
    )
    expect(limited.stderr).toBe('')
    expect(limited.stdout).toBe('100 shards, 200 files')
  })
})

describe('when something goes wrong, no list is left', () => {
  test('the disk is full', async () => {
    await using temp = await tempFolder()
    const entries = Array.from({ length: 60 }, (_, index) => file(`f${index}`, 10))
    const source = await plannedSource(temp.path, entries, 6)
    await symlink('/dev/full', join(source.folder, '00004.list'))
    expect(await writeLists(source)).toEqual({
      ok: false,
      error: [
        {
          code: 'SX621',
          severity: 'error',
          what: `cannot write the shard lists in ${source.folder}: ENOSPC: no space left on device`,
          todo: 'Make room or name another folder with --state DIR, then plan again.',
        },
      ],
    })
    expect(await readdir(source.folder)).toEqual([])
  })

  test('the folder is gone', async () => {
    await using temp = await tempFolder()
    const source = await plannedSource(temp.path, [file('f', 1)], 1)
    const result = await writeLists({ ...source, folder: join(temp.path, 'gone') })
    expect(result).toMatchObject({ ok: false, error: [{ code: 'SX621' }] })
  })

  test('the manifest is cut off', async () => {
    await using temp = await tempFolder()
    const entries = Array.from({ length: 5000 }, (_, index) => file(`file number ${index * 7919}`, index))
    const source = await plannedSource(temp.path, entries, 3)
    await truncate(source.manifestPath, 20_000)
    expect(await writeLists(source)).toMatchObject({ ok: false, error: [{ code: 'SX322' }] })
    expect(await readdir(source.folder)).toEqual([])
  })

  test('a manifest of another listing is our mistake', async () => {
    await using temp = await tempFolder()
    await using otherTemp = await tempFolder()
    const source = await plannedSource(temp.path, [file('f', 1)], 1)
    const other = await plannedSource(otherTemp.path, [file('f', 2)], 1)
    await expect(writeLists({ ...source, manifestPath: other.manifestPath })).rejects.toThrow(Bug)
    expect(await readdir(source.folder)).toEqual([])
  })
})
