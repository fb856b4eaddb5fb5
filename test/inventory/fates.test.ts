import { describe, expect, test } from 'vitest'
import { emptyFound } from '../../src/edge/look-path.ts'
import { kindBytes } from '../../src/inventory/entry.ts'
import { decideFate, type FatePolicy, type Found } from '../../src/inventory/fates.ts'
import { viewOf } from './records.ts'

const policy: FatePolicy = {
  existing: 'update',
  comparison: 'size+mtime',
  proveAll: false,
  symlinks: 'keep',
  destination: 'local',
}

const absent: Found = emptyFound()
const at = (seconds: number): string => `${seconds}.9999999990`
const file = viewOf({ path: 'f', size: 10, mtime: at(1000) })
const there = { ...absent, state: 'there', kindByte: kindBytes.file, size: 10, hasMtime: true } as const
const equal: Found = { ...there, mtimeSeconds: 1000 }
const longer: Found = { ...equal, size: 11 }
const older: Found = { ...there, mtimeSeconds: 999 }
const newer: Found = { ...there, mtimeSeconds: 1001 }
const timeless: Found = { ...there, hasMtime: false, mtimeSeconds: 0 }
const directoryThere: Found = { ...there, kindByte: kindBytes.directory }
const linkThere: Found = { ...there, kindByte: kindBytes.symlink }
const fifoThere: Found = { ...there, kindByte: 0x70 }

function fate(view: ReturnType<typeof viewOf>, found: Found, change: Partial<FatePolicy> = {}): string {
  const { fate: name, reason } = decideFate(view, found, { ...policy, ...change })
  return reason === undefined ? name : `${name}: ${reason}`
}

describe('a file', () => {
  test.each<[string, Found, string]>([
    ['not there', absent, 'new'],
    ['equal', equal, 'same'],
    ['of another size', longer, 'changed'],
    ['older there', older, 'changed: time-only'],
    ['newer there', newer, 'changed: time-only'],
    ['without a time there', timeless, 'changed: time-only'],
    ['where a directory stands', directoryThere, 'refused: directory-there'],
    ['where a symlink stands', linkThere, 'refused: link-there'],
    ['where a FIFO stands', fifoThere, 'refused: special-there'],
    ['below a symlink', { ...absent, state: 'link-in-path' }, 'refused: link-in-path'],
    ['below a file', { ...absent, state: 'file-in-path' }, 'refused: file-in-path'],
    ['not to be looked at', { ...absent, state: 'cannot-look' }, 'refused: cannot-look'],
    ['with a path too long', { ...absent, state: 'too-long' }, 'refused: too-long'],
  ])('%s', (_, found, expected) => {
    expect(fate(file, found)).toBe(expected)
  })

  test.each<[FatePolicy['comparison'], Found, string]>([
    ['size', older, 'same'],
    ['size', timeless, 'same'],
    ['size', longer, 'changed'],
    ['checksum', equal, 'check'],
    ['checksum', older, 'check'],
    ['checksum', longer, 'changed'],
  ])('compared by %s', (comparison, found, expected) => {
    expect(fate(file, found, { comparison })).toBe(expected)
  })

  test('equal, where contents are to be proven', () => {
    expect(fate(file, equal, { proveAll: true })).toBe('check')
  })
})

describe('existing', () => {
  test.each<[FatePolicy['existing'], string, Found, string]>([
    ['keep', 'equal', equal, 'same'],
    ['keep', 'different', longer, 'skipped: kept'],
    ['keep-newer', 'equal', equal, 'same'],
    ['keep-newer', 'older there', { ...longer, mtimeSeconds: 999 }, 'changed'],
    ['keep-newer', 'newer there', { ...longer, mtimeSeconds: 1001 }, 'skipped: newer-there'],
    ['keep-newer', 'of the same age', longer, 'changed'],
    ['keep-newer', 'without a time', { ...timeless, size: 1 }, 'refused: age-unknown'],
    ['error', 'equal', equal, 'same'],
    ['error', 'different', longer, 'refused: differs'],
    ['error', 'absent', absent, 'new'],
  ])('%s, %s', (existing, _, found, expected) => {
    expect(fate(file, found, { existing })).toBe(expected)
  })

  test('keep never lets a tool near what is there', () => {
    expect(fate(file, equal, { existing: 'keep', comparison: 'checksum' })).toBe('skipped: kept')
    expect(fate(file, equal, { existing: 'keep', proveAll: true })).toBe('same')
  })

  test('keep-newer decides before contents do', () => {
    const change = { existing: 'keep-newer', comparison: 'checksum' } as const
    expect(fate(file, newer, change)).toBe('skipped: newer-there')
    expect(fate(file, older, change)).toBe('check')
  })
})

describe('a directory', () => {
  const directory = viewOf({ path: 'd', kind: 'd' })

  test.each<[string, Found, string]>([
    ['not there', absent, 'new'],
    ['there', directoryThere, 'same'],
    ['where a file stands', equal, 'refused: file-there'],
    ['where a symlink stands', linkThere, 'refused: link-there'],
  ])('%s', (_, found, expected) => {
    expect(fate(directory, found)).toBe(expected)
    expect(fate(directory, found, { existing: 'keep', proveAll: true })).toBe(expected)
  })

  test('towards a remote', () => {
    expect(fate(directory, absent, { destination: 'rclone' })).toBe('skipped: directory-on-remote')
  })
})

describe('a symlink', () => {
  const link = viewOf({ path: 'l', kind: 'l', target: 'x' })

  test.each<[string, Found, string]>([
    ['not there', absent, 'new'],
    ['with the same target', { ...linkThere, sameTarget: true }, 'same'],
    ['with another target', linkThere, 'changed'],
    ['where a file stands', equal, 'changed'],
    ['where a directory stands', directoryThere, 'refused: directory-there'],
  ])('%s', (_, found, expected) => {
    expect(fate(link, found)).toBe(expected)
  })

  test('is not asked for its content', () => {
    const found = { ...linkThere, sameTarget: true }
    expect(fate(link, found, { comparison: 'checksum', proveAll: true })).toBe('same')
  })

  test('skipped, or followed to nowhere', () => {
    expect(fate(link, absent, { symlinks: 'skip' })).toBe('skipped: symlink-skipped')
    expect(fate(link, absent, { symlinks: 'follow' })).toBe('skipped: dangling-link')
  })
})

test.each(['p', 's', 'b', 'c', 'D', '?'])('a special file of type %s is skipped', (kind) => {
  expect(fate(viewOf({ path: 'x', kind }), absent)).toBe('skipped: special-file')
})

test('an object without a size is skipped', () => {
  expect(fate(viewOf({ path: 'x', kind: 'U' }), absent)).toBe('skipped: size-unknown')
})

describe('what is there, with a fixup behind the copy', () => {
  const all = {
    tells: 'attributes',
    permissions: true,
    times: true,
    hardLinks: true,
    owner: true,
    groups: 'all',
  } as const satisfies FatePolicy['fixup']
  const source = viewOf({ path: 'f', size: 10, mtime: at(1000), links: 2 })
  const right: Found = { ...equal, hasAttributes: true, mode: 0o644, uid: 0, gid: 0, links: 2 }

  test.each<[string, Partial<Found>, string]>([
    ['all is set', {}, 'same'],
    ['another mode', { mode: 0o600 }, 'attributes'],
    ['set-id bits', { mode: 0o4644 }, 'attributes'],
    ['another owner', { uid: 1 }, 'attributes'],
    ['another group', { gid: 1 }, 'attributes'],
    ['a file of its own', { links: 1 }, 'attributes'],
    ['nobody looked', { hasAttributes: false }, 'attributes'],
    ['another size', { size: 11 }, 'changed'],
  ])('%s', (_, change, expected) => {
    expect(fate(source, { ...right, ...change }, { fixup: all })).toBe(expected)
  })

  test('only what is asked for, and what this user could set, counts', () => {
    const odd: Found = { ...right, mode: 0o600, uid: 1, gid: 1, links: 1 }
    const none = { ...all, permissions: false, owner: false, hardLinks: false }
    expect(fate(source, odd, { fixup: { ...none, groups: new Set([5]) } })).toBe('same')
    expect(fate(source, odd, { fixup: { ...none, groups: new Set([0]) } })).toBe('attributes')
    expect(fate(source, odd, { fixup: { tells: 'nothing' } })).toBe('attributes')
    expect(fate(source, odd)).toBe('same')
  })

  test('a directory counts with its time, a symlink without its mode', () => {
    const folder = viewOf({ kind: 'd', path: 'd', mtime: at(1000) })
    const standing: Found = { ...directoryThere, hasAttributes: true, mode: 0o644, mtimeSeconds: 1000 }
    expect(fate(folder, standing, { fixup: all })).toBe('same')
    expect(fate(folder, { ...standing, mtimeSeconds: 7 }, { fixup: all })).toBe('attributes')
    const link = viewOf({ kind: 'l', path: 'l', mtime: at(1000), target: 't' })
    const pointing: Found = {
      ...linkThere,
      sameTarget: true,
      hasAttributes: true,
      mode: 0o777,
      mtimeSeconds: 1000,
    }
    expect(fate(link, pointing, { fixup: all })).toBe('same')
    expect(fate(link, { ...pointing, uid: 1 }, { fixup: all })).toBe('attributes')
  })

  test('what is to be proven goes through the copy all the same', () => {
    expect(fate(source, right, { fixup: all, proveAll: true })).toBe('check')
  })
})
