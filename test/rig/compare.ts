/** Compares two trees as a user would judge a delivery: names, kinds, bytes and link targets. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { inside } from './tree.ts'

export interface CompareOptions {
  /** Compare the times of files too, down to the whole second. */
  readonly mtimes?: boolean
  /** Compare permission bits of files and directories too. */
  readonly modes?: boolean
}

/**
 * What differs, one printable line each, sorted; empty when the trees are equal:
 * `missing: a`, `extra: b`, `kind: c: file / symlink`, `content: d`, `target: e: "x" / "y"`, `mtime: f: 1 / 2`.
 * Names are shown as JSON strings; bytes that are no UTF-8 as `\xNN`.
 */
export async function compareTrees(
  wanted: string,
  found: string,
  options: CompareOptions = {},
): Promise<readonly string[]> {
  const [left, right] = await Promise.all([listTree(wanted), listTree(found)])
  const differences: string[] = []
  for (const [key, path] of left) {
    if (!right.has(key)) differences.push(`missing: ${printable(path)}`)
    else differences.push(...(await compareEntry(inside(wanted, path), inside(found, path), path, options)))
  }
  for (const [key, path] of right) if (!left.has(key)) differences.push(`extra: ${printable(path)}`)
  return differences.sort()
}

/** Every path below `folder`, by its bytes in latin1, which keeps every byte apart. */
export async function listTree(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>()
  const walk = async (below: Buffer): Promise<void> => {
    const full = below.length === 0 ? Buffer.from(folder) : inside(folder, below)
    for (const entry of await readdir(full, { encoding: 'buffer', withFileTypes: true })) {
      const path = below.length === 0 ? entry.name : Buffer.concat([below, Buffer.from('/'), entry.name])
      found.set(path.toString('latin1'), path)
      if (entry.isDirectory()) await walk(path)
    }
  }
  await walk(Buffer.alloc(0))
  return found
}

async function compareEntry(
  left: Buffer,
  right: Buffer,
  path: Buffer,
  options: CompareOptions,
): Promise<string[]> {
  const [a, b] = await Promise.all([describe(left), describe(right)])
  const name = printable(path)
  if (a.kind !== b.kind) return [`kind: ${name}: ${a.kind} / ${b.kind}`]
  const differences: string[] = []
  if (a.content !== b.content) {
    const shown = a.kind === 'symlink' ? `target: ${name}: ${a.content} / ${b.content}` : `content: ${name}`
    differences.push(shown)
  }
  if (options.mtimes === true && a.kind === 'file' && a.mtime !== b.mtime) {
    differences.push(`mtime: ${name}: ${a.mtime} / ${b.mtime}`)
  }
  if (options.modes === true && a.kind !== 'symlink' && a.mode !== b.mode) {
    differences.push(`mode: ${name}: ${a.mode.toString(8)} / ${b.mode.toString(8)}`)
  }
  return differences
}

interface Described {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  /** A digest, or the target of a symlink. */
  readonly content: string
  readonly mtime: number
  readonly mode: number
}

async function describe(path: Buffer): Promise<Described> {
  const entry = await lstat(path)
  const rest = { mtime: Math.floor(entry.mtimeMs / 1000), mode: entry.mode & 0o7777 }
  if (entry.isDirectory()) return { kind: 'directory', content: '', ...rest }
  if (entry.isSymbolicLink()) {
    return { kind: 'symlink', content: printable(await readlink(path, { encoding: 'buffer' })), ...rest }
  }
  if (!entry.isFile()) return { kind: 'other', content: '', ...rest }
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return { kind: 'file', content: hash.digest('hex'), ...rest }
}

function printable(bytes: Buffer): string {
  const text = bytes.toString()
  if (Buffer.from(text).equals(bytes)) return JSON.stringify(text)
  return `"${bytes.toString('latin1').replaceAll(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}
