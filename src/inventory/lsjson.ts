/** Takes the output of `rclone lsjson -R` apart, line by line, into the records that a local listing has. */

import type { RecordView } from './entry.ts'

/** What `push` gives: records ready for a scanner, or the number of the line that is no entry. */
export type LsjsonChunk = { readonly records: Buffer } | { readonly badLine: number }

export interface LsjsonReader {
  push(chunk: Buffer): LsjsonChunk
  /** True when the closing bracket was seen: rclone has listed all it could. */
  isComplete(): boolean
}

const newline = 0x0a

interface Item {
  readonly Path: string
  readonly Size: number
  readonly ModTime: string
  readonly IsDir: boolean
  readonly Hashes?: unknown
}

function isItem(value: unknown): value is Item {
  if (typeof value !== 'object' || value === null) return false
  const item = value as Partial<Record<keyof Item, unknown>>
  return (
    typeof item.Path === 'string' &&
    item.Path !== '' &&
    !item.Path.includes('\0') &&
    typeof item.Size === 'number' &&
    typeof item.ModTime === 'string' &&
    typeof item.IsDir === 'boolean'
  )
}

/** RFC 3339 as rclone writes it into find's `%T@`; `-` where there is none. */
export function mtimeText(modTime: string): string {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(modTime)
  if (parts === null) return '-'
  const millis = Date.parse(`${parts[1] ?? ''}${parts[3] ?? ''}`)
  return Number.isNaN(millis) ? '-' : `${millis / 1000}.${(parts[2] ?? '').padEnd(10, '0')}`
}

function record(item: Item, linkOf: LinkOf | undefined): string {
  const link = item.IsDir || item.Size <= 0 ? undefined : linkOf?.(item.Path)
  // An object without a size (a document that the remote renders on the way out) gets find's letter for "unknown".
  const kind = item.IsDir ? 'd' : link !== undefined ? 'l' : item.Size < 0 ? 'U' : 'f'
  const size = item.IsDir ? 0 : Math.max(0, item.Size)
  return `${kind} ${size} ${mtimeText(item.ModTime)} 0 ${link?.digest ?? 0} 1 - - - ${link?.path ?? item.Path}\0\0`
}

/** A symlink on a remote. It stands in a listing with its digest in the place of the inode; 0: nobody knows it. */
export interface RemoteLink {
  readonly path: string
  readonly digest: number
}

/** The symlink that a file stands for, from its path; undefined: it is a file. */
export type LinkOf = (path: string) => RemoteLink | undefined

/** Of a symlink's target, from its MD5 in hexadecimal digits: 52 bits, which are a number without loss. */
export function linkDigest(md5: string): number {
  return parseInt(md5.slice(0, 13), 16)
}

/** The digest of the symlink that a record stands for. */
export function digestIn({ buffer, identityStart, identityEnd }: RecordView): number {
  const identity = buffer.toString('latin1', identityStart, identityEnd)
  return Number(identity.slice(identity.indexOf(' ') + 1))
}

/** One entry of a listing with hashes; `md5` in hexadecimal digits, undefined where its service keeps none. */
export interface HashedEntry {
  readonly path: string
  readonly md5: string | undefined
}

/** A line of `rclone lsjson --hash`; undefined where it is no entry. */
export function readHashedLine(text: string): HashedEntry | undefined {
  try {
    const item: unknown = JSON.parse(text.endsWith(',') ? text.slice(0, -1) : text)
    if (!isItem(item)) return undefined
    const md5 = (item.Hashes as Readonly<Record<string, unknown>> | undefined)?.['md5']
    return { path: item.Path, md5: typeof md5 === 'string' && /^[0-9a-f]{32}$/.test(md5) ? md5 : undefined }
  } catch {
    return undefined
  }
}

/**
 * One JSON value per line between `[` and `]`, as rclone has printed it since 1.37. With `linkOf` some files become symlinks
 * of the same size, of which nobody knows more than a digest of what they lead to.
 */
export function createLsjsonReader(linkOf?: LinkOf): LsjsonReader {
  let rest: Buffer = Buffer.alloc(0)
  let line = 0
  let complete = false
  const readLine = (text: string): string | undefined => {
    if (text === '[' || text === '') return ''
    if (text === ']') {
      complete = true
      return ''
    }
    try {
      const item: unknown = JSON.parse(text.endsWith(',') ? text.slice(0, -1) : text)
      return isItem(item) ? record(item, linkOf) : undefined
    } catch {
      return undefined
    }
  }
  return {
    push(chunk) {
      const buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let records = ''
      let start = 0
      for (let end = buffer.indexOf(newline); end >= 0; end = buffer.indexOf(newline, start)) {
        line++
        const text = readLine(buffer.toString('utf8', start, end).trim())
        if (text === undefined) return { badLine: line }
        records += text
        start = end + 1
      }
      rest = Buffer.from(buffer.subarray(start))
      // rclone closes the list without a newline in some versions.
      if (rest.length === 1 && rest[0] === 0x5d) complete = true
      return { records: Buffer.from(records, 'utf8') }
    },
    isComplete: () => complete,
  }
}
