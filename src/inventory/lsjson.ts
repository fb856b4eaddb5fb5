/** Takes the output of `rclone lsjson -R` apart, line by line, into the records that a local listing has. */

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
  return `${kind} ${item.IsDir ? 0 : Math.max(0, item.Size)} ${mtimeText(item.ModTime)} 0 0 1 - - - ${link ?? item.Path}\0\0`
}

/** The symlink that a file stands for, from its path; undefined: it is a file. */
export type LinkOf = (path: string) => string | undefined

/**
 * One JSON value per line between `[` and `]`, as rclone has printed it since 1.37. With `linkOf` some files become symlinks
 * of the same size, of which nobody knows what they lead to.
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
