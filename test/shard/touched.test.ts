import { expect, test } from 'vitest'
import { createTree } from '../../src/inventory/directories.ts'
import { fateBytes, type Fate } from '../../src/inventory/entry.ts'
import { touchedDirectories } from '../../src/shard/touched.ts'
import { viewOf } from '../inventory/records.ts'

test('directories on the way to work are touched, those beside it are not', () => {
  const tree = createTree()
  const add = (kind: string, path: string, fate: Fate): void => {
    tree.add(viewOf({ kind, path, size: 7 }), fateBytes[fate])
  }
  add('d', 'a', 'same')
  add('d', 'a/b', 'same')
  add('f', 'a/b/c/new', 'new')
  add('d', 'beside', 'same')
  add('f', 'beside/same', 'same')
  add('d', 'empty', 'new')
  add('l', 'links/l', 'changed')
  add('f', 'set/f', 'attributes')
  add('f', 'kept/f', 'skipped')
  const touched = touchedDirectories(tree).map((row) => tree.path(row))
  expect(touched.sort()).toEqual(['a', 'a/b', 'a/b/c', 'empty', 'links', 'set'])
  expect(tree.ownBytes(0)).toBe(0)
})
