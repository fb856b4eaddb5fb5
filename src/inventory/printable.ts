/** Names as people can read them: a path is raw bytes and may hold anything, a message must not. */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Control characters, and those that turn the direction of text or break lines: they make a terminal lie. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** One character that a message can not show as it is, in the notation of bash's `$'…'`. */
function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  if (character === '\r') return '\\r'
  if (character === '\\' || character === "'") return `\\${character}`
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return unprintable.test(character) ? `\\u${code.toString(16).padStart(4, '0')}` : character
}

function escapeBytes(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    const character = decode(bytes.subarray(at, at + length))
    if (character === undefined) {
      text += `\\x${byte.toString(16)}`
      at++
      continue
    }
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x27
    text += isPlain ? character : escape(character)
    at += length
  }
  return text
}

/**
 * A path given as latin1 text, one character per raw byte, for a message. Valid UTF-8 without control characters
 * is shown as it is; anything else in bash's `$'…'` form, which can be pasted into a shell and names the same file.
 */
export function printable(path: string): string {
  const bytes = Buffer.from(path, 'latin1')
  const text = decode(bytes)
  if (text !== undefined && !unprintable.test(text)) return text
  return `$'${escapeBytes(bytes)}'`
}
