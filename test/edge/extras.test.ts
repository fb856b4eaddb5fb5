import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findExtras, type Extras } from '../../src/edge/extras.ts'
import { compileFilter } from '../../src/inventory/filter.ts'
import { viewOf } from '../inventory/records.ts'
import { listTree } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { surveyed, type Asked } from './survey-rig.ts'

/** Names that sort in front of, behind and between each other in ways that a merge could mistake. */
const NAMES = ['a', 'a-', 'a.b', 'a\n', 'b', 'ab', ' ', 'x.lock', '\xff', 'é', 'keep'] as const
const PATTERNS = ['*.lock', 'a', 'a/', '/b/**', '**/ab', 'keep/', '[xy]*'] as const

type Kind = 'file' | 'directory' | 'symlink'
type Tree = ReadonlyMap<string, Kind>

/** A tree as a map of latin1 paths; what stands in the way of a path is a directory. */
const trees: fc.Arbitrary<Tree> = fc
  .array(
    fc.tuple(
      fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
      fc.constantFrom<Kind>('file', 'directory', 'symlink'),
    ),
    { maxLength: 14 },
  )
  .map((entries) => {
    const tree = new Map<string, Kind>()
    for (const [names, kind] of entries) {
      const parents = names.slice(0, -1).map((_, depth) => names.slice(0, depth + 1).join('/'))
      if (parents.some((parent) => (tree.get(parent) ?? 'directory') !== 'directory')) continue
      for (const parent of parents) tree.set(parent, 'directory')
      if (!tree.has(names.join('/'))) tree.set(names.join('/'), kind)
    }
    return tree
  })

function entriesOf(tree: Tree): readonly TreeEntry[] {
  return [...tree].map(([name, kind]): TreeEntry => {
    const path = Buffer.from(name, 'latin1')
    return kind === 'symlink' ? { kind, path, target: 'nowhere' } : { kind, path }
  })
}

const parentsOf = (name: string): readonly string[] =>
  [...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index))

/** What the patterns name, as the page about the plan file says it; `kind` is what the entry is taken for. */
function isNamed(name: string, kind: Kind, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const filter = compileFilter([], [pattern])
    if (!filter.ok || filter.value === undefined) throw new Error(pattern)
    const view = viewOf({ path: name, kind: kind === 'directory' ? 'd' : 'f' })
    return !filter.value.takes(view)
  })
}

interface Found {
  readonly extras: Extras
  /** Latin1 paths in the order of the list. */
  readonly names: readonly string[]
  readonly kinds: readonly string[]
}

async function extrasIn(folder: string, asked: Asked, ours: readonly string[] = []): Promise<Found> {
  const survey = await surveyed(folder, asked)
  const filter = compileFilter(asked.include ?? [], asked.exclude ?? [])
  if (!filter.ok) throw new Error('a pattern')
  const found = await findExtras({
    root: survey.destinationRoot,
    remote: () => {
      throw new Error('a disk is no remote')
    },
    filter: filter.value,
    ours,
    env: { PATH: process.env['PATH'] ?? '' },
    signal: new AbortController().signal,
    manifestPath: survey.manifestPath,
    listPath: join(folder, 'list'),
    followLinks: false,
    keepsLinks: false,
  })
  if (!found.ok) throw new Error(found.error.map(({ what }) => what).join())
  const text = await readFile(join(folder, 'list'), 'latin1').catch(() => '')
  const records = text.split('\0').slice(0, -1)
  return {
    extras: found.value,
    names: records.map((record) => record.replace(/^(\S+ ){3}\.\//, '')),
    kinds: records.map((record) => record.slice(0, 1)),
  }
}

describe('what is too much at a destination', () => {
  test(
    'for all trees and filters: its entries, less the names of the source, less what the filter leaves out',
    { timeout: 240_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          trees,
          trees,
          fc.subarray([...PATTERNS], { maxLength: 2 }),
          fc.subarray([...PATTERNS], { maxLength: 1 }),
          async (source, destination, exclude, include) => {
            await using temp = await tempFolder()
            await writeTree(join(temp.path, 'from'), entriesOf(source))
            await writeTree(join(temp.path, 'to'), entriesOf(destination))
            const { names, extras } = await extrasIn(temp.path, { exclude, include })
            const isLeftOut = (name: string): boolean => {
              const ways = [...parentsOf(name).map((parent) => [parent, 'directory'] as const)]
              const hits = (patterns: readonly string[], kind: Kind): boolean =>
                isNamed(name, kind, patterns) || ways.some(([way]) => isNamed(way, 'directory', patterns))
              return (['file', 'directory'] as const).some(
                (kind) => hits(exclude, kind) || (include.length > 0 && !hits(include, kind)),
              )
            }
            const isTooMuch = (name: string): boolean =>
              !source.has(name) &&
              !isLeftOut(name) &&
              // What the filter hides of the source is in no manifest.
              parentsOf(name).every(
                (parent) => (source.get(parent) ?? 'directory') === 'directory' || isHidden(parent),
              )
            const isHidden = (name: string): boolean => isLeftOut(name) && source.has(name)
            const all = [...destination.keys()]
            const wanted = all.filter(
              (name) =>
                isTooMuch(name) &&
                (destination.get(name) !== 'directory' ||
                  all.every((other) => !other.startsWith(`${name}/`) || isTooMuch(other))),
            )
            expect([...names].sort()).toEqual(wanted.sort())
            expect(extras.files + extras.directories + extras.symlinks).toBe(names.length)
            // Nothing stands before what is in it.
            for (const [index, name] of names.entries())
              expect(names.slice(index).some((later) => later.startsWith(`${name}/`))).toBe(false)
          },
        ),
        { numRuns: 40 },
      )
    },
  )

  test('counts, and lists files with all digits of their times, then directories without', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { same: 's' })
    await writeTree(join(temp.path, 'to'), [
      { kind: 'file', path: 'same', content: 's' },
      { kind: 'file', path: 'd/old', content: '12345', mtime: 1_700_000_000.5 },
      { kind: 'fifo', path: 'd/pipe' },
      { kind: 'symlink', path: 'd/link', target: '/etc' },
      { kind: 'directory', path: 'd/e' },
    ])
    const { extras, names, kinds } = await extrasIn(temp.path, {})
    expect({ ...extras, listPath: '' }).toEqual({
      ...{ files: 1, directories: 2, symlinks: 1, others: 1, bytes: 5, entries: 6, listPath: '' },
    })
    expect(names).toEqual(['d/link', 'd/old', 'd/pipe', 'd/e', 'd'])
    expect(kinds).toEqual(['l', 'f', 'p', 'd', 'd'])
    expect(await readFile(extras.listPath, 'latin1')).toContain('f 5 1700000000.5000000000 ./d/old\0')
  })

  test("soxplan's own files, and folders that hold some, are none", async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { a: 'a' })
    await writeTree(join(temp.path, 'to'), {
      'x/.soxplan-partial/half': 'h',
      'y/.soxplan/runs/1/plan.json': '{}',
      'z/state/runs/2/plan.json': '{}',
      'z/stately': 's',
      'x.soxplan/old': 'o',
    })
    const { names } = await extrasIn(temp.path, {}, ['z/state'])
    expect(names).toEqual(['x.soxplan/old', 'z/stately', 'x.soxplan'])
    expect((await listTree(join(temp.path, 'to'))).size).toBe(16)
  })
})
