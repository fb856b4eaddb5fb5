import { describe, expect, test } from 'vitest'
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

const absent: Found = {
  state: 'absent',
  kindByte: 0,
  size: 0,
  hasMtime: false,
  mtimeSeconds: 0,
  sameTarget: false,
}
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
