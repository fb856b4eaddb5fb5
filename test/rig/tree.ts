/** Writes trees with any name a disk can hold. A name is a string (UTF-8) or raw bytes. */

import { execFile } from 'node:child_process'
import { chmod, link, mkdir, open, symlink, utimes, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Path below the tree's folder. */
export type TreePath = string | Buffer

export type TreeEntry = TreePlace & TreeMode

interface TreePlace {
  readonly path: TreePath
  /** Seconds since 1970, fractions allowed. Not for symlinks. */
  readonly mtime?: number
}

type TreeMode =
  | { readonly kind: 'file'; readonly content?: string | Buffer; readonly mode?: number }
  | { readonly kind: 'directory'; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly target: TreePath }
  /** Another name of a file that stands earlier in the list. */
  | { readonly kind: 'hardlink'; readonly to: TreePath }
  | { readonly kind: 'fifo' }
  /** `size` bytes, all a hole but the last one. */
  | { readonly kind: 'sparse'; readonly size: number }

/** `folder/path` as bytes. */
export function inside(folder: string, path: TreePath): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path)])
}

/**
 * Writes `entries` below `folder` in their order; missing directories are made. Short form: an object of name → content.
 * Directory times and modes are set last, so that writing into them does not undo them.
 */
export async function writeTree(
  folder: string,
  entries: readonly TreeEntry[] | Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  const list = isList(entries)
    ? entries
    : Object.entries(entries).map(([path, content]): TreeEntry => ({ kind: 'file', path, content }))
  await mkdir(folder, { recursive: true })
  for (const entry of list) await writeEntry(folder, entry)
  for (const entry of list.toReversed()) await finish(folder, entry)
}

function isList(
  entries: readonly TreeEntry[] | Readonly<Record<string, unknown>>,
): entries is readonly TreeEntry[] {
  return Array.isArray(entries)
}

async function writeEntry(folder: string, entry: TreeEntry): Promise<void> {
  const path = inside(folder, entry.path)
  await mkdir(path.subarray(0, path.lastIndexOf('/')), { recursive: true })
  switch (entry.kind) {
    case 'file':
      return writeFile(path, entry.content ?? '')
    case 'directory':
      await mkdir(path, { recursive: true })
      return
    case 'symlink':
      return symlink(Buffer.from(entry.target), path)
    case 'hardlink':
      return link(inside(folder, entry.to), path)
    case 'fifo':
      await promisify(execFile)('mkfifo', ['--', path.toString()])
      return
    case 'sparse': {
      await using file = await open(path, 'w')
      await file.write(Buffer.from('.'), 0, 1, entry.size - 1)
      return
    }
  }
}

async function finish(folder: string, entry: TreeEntry): Promise<void> {
  if (entry.kind === 'symlink') return
  const path = inside(folder, entry.path)
  if ((entry.kind === 'file' || entry.kind === 'directory') && entry.mode !== undefined) {
    await chmod(path, entry.mode)
  }
  if (entry.mtime !== undefined) await utimes(path, entry.mtime, entry.mtime)
}
