import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTree, type TreeBuilder } from '../../src/inventory/directories.ts'
import { fateBytes } from '../../src/inventory/entry.ts'
import { viewOf } from './records.ts'

function add(
  tree: TreeBuilder,
  entry: Parameters<typeof viewOf>[0],
  fate: keyof typeof fateBytes = 'new',
): void {
  tree.add(viewOf(entry), fateBytes[fate])
}

/** Rows by path, for comparing without regard to their numbers. */
function rowsOf(tree: TreeBuilder): Record<string, object> {
  const rows: Record<string, object> = {}
  for (let row = 0; row < tree.count; row++) {
    const parent = tree.parent(row)
    expect(parent).toBeLessThan(row)
    rows[`/${tree.path(row)}`] = {
      parent: parent < 0 ? undefined : `/${tree.path(parent)}`,
      files: tree.ownFiles(row),
      bytes: tree.ownBytes(row),
      links: tree.ownLinks(row),
      largest: tree.ownLargestBytes(row),
      work: tree.isWork(row),
      occupied: tree.isOccupied(row),
    }
  }
  return rows
}

describe('rows', () => {
  test('count what is work, where it stands', () => {
    const tree = createTree()
    add(tree, { path: 'a', kind: 'd' })
    add(tree, { path: 'a/f', size: 5 })
    add(tree, { path: 'a/g', size: 7 }, 'changed')
    add(tree, { path: 'a/same', size: 100 }, 'same')
    add(tree, { path: 'a/kept', size: 100 }, 'skipped')
    add(tree, { path: 'a/l', kind: 'l', target: 'f' }, 'check')
    add(tree, { path: 'empty', kind: 'd' }, 'same')
    add(tree, { path: 'top', size: 1 })
    expect(rowsOf(tree)).toEqual({
      '/': { parent: undefined, files: 1, bytes: 1, links: 0, largest: 1, work: false, occupied: true },
      '/a': { parent: '/', files: 2, bytes: 12, links: 1, largest: 7, work: true, occupied: true },
      '/empty': { parent: '/', files: 0, bytes: 0, links: 0, largest: 0, work: false, occupied: false },
    })
    expect(tree.hasHardLinks).toBe(false)
  })

  test('hard links are seen only where they are work', () => {
    const tree = createTree()
    add(tree, { path: 'x', links: 2 }, 'same')
    expect(tree.hasHardLinks).toBe(false)
    add(tree, { path: 'y', links: 2 })
    expect(tree.hasHardLinks).toBe(true)
  })

  test('a path of thousands of levels', () => {
    const tree = createTree()
    add(tree, { path: `${'d/'.repeat(5000)}f` })
    expect(tree.count).toBe(5001)
  })
})

test('the same rows, whatever order the records come in', () => {
  const name = fc.constantFrom('a', 'b', 'ab', '\xff', ' ')
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'))
  const entries = fc.array(fc.record({ path, kind: fc.constantFrom('f', 'd', 'l'), size: fc.nat() }))
  fc.assert(
    fc.property(
      entries.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([listed, shuffled]) => {
        const one = createTree()
        const other = createTree()
        for (const entry of listed) add(one, entry)
        for (const entry of shuffled) add(other, entry)
        expect(rowsOf(other)).toEqual(rowsOf(one))
      },
    ),
  )
})
