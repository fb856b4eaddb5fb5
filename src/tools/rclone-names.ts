/**
 * rclone's names for files on a disk. rclone shows every name in its "standard" spelling, in which control characters
 * are the symbols U+2401 … U+2421 and those symbols themselves carry a quote, and translates it back when it opens the
 * file. Lists for rclone hold that spelling. Invalid UTF-8 stays as it is. The rules are those of its `lib/encoder` for
 * a local disk on Linux (encoding `Slash,Dot`), compared with `rclone lsf` in the tests.
 *
 * All of it works on latin1 text, one character per byte, so that invalid bytes pass through untouched.
 */

const quote = '\xe2\x80\x9b' // U+201B
const symbolNul = '\xe2\x90\x80' // U+2400
const symbolDel = '\xe2\x90\xa1' // U+2421
const wideSlash = '\xef\xbc\x8f' // U+FF0F
const wideDot = '\xef\xbc\x8e' // U+FF0E

/** U+2400 to U+241F, or U+2421. */
const symbol = '\xe2\x90[\x80-\x9f\xa1]'

function symbolOf(control: string): string {
  return control === '\x7f' ? symbolDel : `\xe2\x90${String.fromCharCode(0x80 + control.charCodeAt(0))}`
}

function controlOf(text: string): string {
  return text === symbolDel ? '\x7f' : String.fromCharCode(text.charCodeAt(2) - 0x80)
}

/** What a name on disk means to rclone: its own quotes and wide characters are undone. */
function decodeLocal(name: string): string {
  if (name === wideDot || name === wideDot + wideDot) return name.replaceAll(wideDot, '.')
  if (name === quote + wideDot || name === quote + wideDot + quote + wideDot)
    return name.replaceAll(quote, '')
  return name.replace(
    new RegExp(`${quote}(${quote}|${symbolNul}|${wideSlash})|${symbolNul}|${wideSlash}`, 'g'),
    (found, quoted: string | undefined) => {
      if (quoted !== undefined) return quoted
      return found === symbolNul ? '\0' : '/'
    },
  )
}

/** The reverse: what rclone writes to disk for a meaning. */
function encodeLocal(name: string): string {
  if (name === '.' || name === '..') return name.replaceAll('.', wideDot)
  if (name === wideDot) return quote + wideDot
  if (name === wideDot + wideDot) return quote + wideDot + quote + wideDot
  return name.replace(new RegExp(`[\0/]|${quote}|${symbolNul}|${wideSlash}`, 'g'), (found) => {
    if (found === '\0') return symbolNul
    if (found === '/') return wideSlash
    return quote + found
  })
}

function encodeStandard(name: string): string {
  if (name === '.' || name === '..') return name.replaceAll('.', wideDot)
  if (name === wideDot) return quote + wideDot
  if (name === wideDot + wideDot) return quote + wideDot + quote + wideDot
  return name.replace(new RegExp(`[\0-\x1f\x7f/]|${quote}|${symbol}|${wideSlash}`, 'g'), (found) => {
    if (found === '/') return wideSlash
    return found.length === 1 ? symbolOf(found) : quote + found
  })
}

function decodeStandard(name: string): string {
  if (name === wideDot || name === wideDot + wideDot) return name.replaceAll(wideDot, '.')
  if (name === quote + wideDot || name === quote + wideDot + quote + wideDot)
    return name.replaceAll(quote, '')
  return name.replace(
    new RegExp(`${quote}(${quote}|${symbol}|${wideSlash})|${symbol}|${wideSlash}`, 'g'),
    (found, quoted: string | undefined) => {
      if (quoted !== undefined) return quoted
      return found === wideSlash ? '/' : controlOf(found)
    },
  )
}

/** Bytes that change nothing: most names need no second look. */
function isPlain(path: Uint8Array): boolean {
  for (const byte of path) if (byte < 0x20 || byte === 0x7f || byte === 0xe2 || byte === 0xef) return false
  return true
}

function perSegment(path: Uint8Array, change: (name: string) => string): Uint8Array {
  if (isPlain(path)) return path
  const text = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1')
  return Buffer.from(text.split('/').map(change).join('/'), 'latin1')
}

/** A path on disk, raw bytes, as rclone names it. */
export function encodeRcloneName(path: Uint8Array): Uint8Array {
  return perSegment(path, (name) => encodeStandard(decodeLocal(name)))
}

/** rclone's name as the raw bytes under which it stands, or will stand, on a disk. */
export function decodeRcloneName(name: Uint8Array): Uint8Array {
  return perSegment(name, (segment) => encodeLocal(decodeStandard(segment)))
}

/** rclone's name of an object as the key that the bucket has: what any other tool calls it. */
export function keyOfRcloneName(name: Uint8Array): Uint8Array {
  return perSegment(name, decodeStandard)
}

/**
 * True when a key and a file on a disk that rclone takes for each other have the very same name, so that a tool without
 * spellings of its own makes the same of it. `path` is a raw name of a disk, or rclone's name of an object.
 */
export function isSameEverywhere(path: Uint8Array, isOnDisk: boolean): boolean {
  if (isPlain(path)) return true
  const name = isOnDisk ? encodeRcloneName(path) : path
  const file = isOnDisk ? path : decodeRcloneName(path)
  return Buffer.compare(keyOfRcloneName(name), file) === 0
}

/** True when rclone's name is the only one that stands under its name on a disk. */
export function comesBack(name: Uint8Array): boolean {
  return isPlain(name) || Buffer.compare(encodeRcloneName(decodeRcloneName(name)), name) === 0
}

/**
 * True when a name stays itself in rclone's spelling and back: its SFTP takes names as they are, and would make other
 * files of the rest. Invalid UTF-8 is somebody else's to look for.
 */
export function isVerbatimName(path: Uint8Array): boolean {
  if (isPlain(path)) return true
  return (
    Buffer.compare(encodeRcloneName(path), path) === 0 && Buffer.compare(decodeRcloneName(path), path) === 0
  )
}

/**
 * True when rclone finds a file of that name on a disk again. A few names mean the same to it as another spelling does,
 * such as one that ends in a single U+201B; rclone looks for the other one and finds nothing.
 */
export function isRcloneName(path: Uint8Array): boolean {
  return isPlain(path) || Buffer.compare(decodeRcloneName(encodeRcloneName(path)), path) === 0
}
