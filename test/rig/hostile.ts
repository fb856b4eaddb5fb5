/** A small tree of everything that is legal on a disk and breaks programs that did not expect it. */

import { writeTree, type TreeEntry, type TreePath } from './tree.ts'

/** A small tree whose names mean something to shells and patterns, and nothing to a remote. */
export const ODD_TREE = {
  'a/b/c': 'c',
  d: 'dd',
  'x y/(z)': 'z',
  'emoji 🚚/é': 'e',
  '[q]/*': 'q',
  '-dash': '-',
  '#h': '#',
}

/** Names that are legal, one file each: its content is the name itself. */
export const HOSTILE_NAMES: readonly TreePath[] = [
  'new\nline',
  '\nfirst',
  'last\n',
  'tab\there',
  'carriage\rreturn',
  'bell\x07 escape\x1b[31m',
  "single'quote",
  'double"quote',
  'back\\slash',
  'back\\nslash-n',
  '-dash',
  '--delete',
  '#hash',
  ';semicolon',
  ' space before',
  'space after ',
  '   ',
  'two  spaces',
  '~',
  '!bang',
  '%20 %s',
  '&and|pipe<in>out',
  '$(touch X)',
  '`touch X`',
  '${HOME}',
  '*',
  '?',
  '[a]',
  '{b}',
  '{b,c}',
  '+ plus',
  '- minus',
  '.hidden',
  '...',
  'a.rclonelink',
  'a.partial',
  'x:y',
  'emoji 🚚',
  // The same word to a reader, two names to a disk.
  'caf\u00e9',
  'cafe\u0301',
  'q'.repeat(255),
  Buffer.from([0x6c, 0x61, 0x74, 0x69, 0x6e, 0xe9]),
  Buffer.from([0xff, 0xfe, 0x80]),
]

/** One second that every file of the tree was changed at, with a fraction that tools like to lose. */
export const HOSTILE_MTIME = 1_700_000_000.25

/** The entries of the tree; `withoutSpecials` leaves the FIFO out, which no tool delivers. */
export function hostileEntries(options: { readonly withoutSpecials?: boolean } = {}): readonly TreeEntry[] {
  const mtime = HOSTILE_MTIME
  const named = HOSTILE_NAMES.flatMap((name): TreeEntry[] => [
    { kind: 'file', path: name, content: Buffer.from(name), mtime },
    { kind: 'file', path: inFolder(name), content: 'in a folder of that name', mtime },
  ])
  return [
    ...named,
    { kind: 'file', path: 'plain/a', content: 'a', mtime },
    { kind: 'file', path: 'plain/empty', mtime },
    { kind: 'directory', path: 'empty directory' },
    { kind: 'directory', path: 'empty/inside/empty' },
    { kind: 'file', path: `${'deep/'.repeat(40)}bottom`, content: 'deep', mtime },
    { kind: 'symlink', path: 'links/dangling', target: 'nowhere' },
    { kind: 'symlink', path: 'links/absolute', target: '/etc/hostname' },
    { kind: 'symlink', path: 'links/loop', target: 'loop' },
    { kind: 'symlink', path: 'links/up', target: '..' },
    { kind: 'symlink', path: 'links/directory', target: '../plain' },
    { kind: 'symlink', path: 'links/file', target: '../plain/a' },
    { kind: 'symlink', path: 'links/odd name\n', target: Buffer.from([0x2d, 0x0a, 0xff]) },
    { kind: 'file', path: 'hard/one', content: 'one file, three names', mtime },
    { kind: 'hardlink', path: 'hard/two', to: 'hard/one' },
    { kind: 'hardlink', path: 'plain/three', to: 'hard/one' },
    { kind: 'sparse', path: 'sparse', size: 2 ** 20, mtime },
    { kind: 'file', path: 'modes/executable', content: '#!/bin/sh\n', mode: 0o755, mtime },
    { kind: 'file', path: 'modes/read-only', content: 'r', mode: 0o444, mtime },
    { kind: 'file', path: 'times/before 1970', content: 'old', mtime: -86_400 },
    { kind: 'file', path: 'times/after 2038', content: 'new', mtime: 4_000_000_000 },
    ...(options.withoutSpecials === true ? [] : [{ kind: 'fifo', path: 'fifo' } as const]),
  ]
}

/** Writes the tree. No name in it, evaluated by a shell, does anything but make a file X. */
export async function hostileTree(
  folder: string,
  options: { readonly withoutSpecials?: boolean } = {},
): Promise<void> {
  await writeTree(folder, hostileEntries(options))
}

function inFolder(name: TreePath): Buffer {
  return Buffer.concat([Buffer.from('folders/'), Buffer.from(name), Buffer.from('/file')])
}
