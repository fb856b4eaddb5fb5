/** One glob of `include` or `exclude`, made into an expression over raw path bytes. */

import { fail, ok, type Result } from '../diagnostic.ts'

/** A compiled glob. Tested against a path in latin1, one character per raw byte. */
export interface Glob {
  readonly matches: RegExp
  /** Written with a closing `/` or `/**`: names directories only. */
  readonly directoriesOnly: boolean
}

/** One character of UTF-8 but a slash, or a byte that is none. */
const anyCharacter =
  '(?:[\\xc2-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}|[\\xf0-\\xf4][\\x80-\\xbf]{3}|[^/])'

/** A character as its UTF-8 bytes, escaped for an expression. */
function literal(character: string): string {
  let text = ''
  for (const byte of Buffer.from(character, 'utf8')) text += `\\x${byte.toString(16).padStart(2, '0')}`
  return text
}

/** `[a-z]`, `[!a-z]`, `[^a-z]` from behind the bracket. Members beyond ASCII stand for their bytes in a row. */
function readClass(
  characters: readonly string[],
  from: number,
): Result<{ text: string; next: number }, string> {
  let at = from
  const isNegated = characters[at] === '!' || characters[at] === '^'
  if (isNegated) at++
  let single = ''
  const several: string[] = []
  for (let isFirst = true; isFirst || characters[at] !== ']'; isFirst = false) {
    if (characters[at] === '\\') at++
    const first = characters[at++]
    if (first === undefined) return fail('a `[` is never closed')
    let last = first
    if (characters[at] === '-' && characters[at + 1] !== ']' && characters[at + 1] !== undefined) {
      at++
      if (characters[at] === '\\') at++
      last = characters[at++] ?? first
    }
    if (first === last && first >= '\u0080') several.push(literal(first))
    else if (last >= '\u0080') return fail('a range in `[…]` goes beyond ASCII')
    else if (last < first) return fail(`the range ${first}-${last} runs backwards`)
    else single += `${literal(first)}-${literal(last)}`
  }
  const members = [...several, ...(single === '' ? [] : [`[${single}]`])].join('|')
  return ok({
    text: isNegated ? `(?:(?!${members}|/)${anyCharacter})` : `(?:(?!/)(?:${members}))`,
    next: at + 1,
  })
}

/** The body of an expression. */
function translate(characters: readonly string[]): Result<string, string> {
  let text = ''
  let braces = 0
  for (let at = 0; at < characters.length;) {
    const character = characters[at++] ?? ''
    if (character === '\\') {
      const escaped = characters[at++]
      if (escaped === undefined) return fail('it ends in a backslash')
      text += literal(escaped)
    } else if (character === '*' && characters[at] === '*') {
      while (characters[at] === '*') at++
      const standsAlone = /(^|\/|\(\?:|\|)$/.test(text)
      // `**/x` is x at any depth, here included.
      if (standsAlone && characters[at] === '/') {
        text += '(?:[^]*/)?'
        at++
      } else text += '[^]*'
    } else if (character === '*') text += '[^/]*'
    else if (character === '?') text += anyCharacter
    else if (character === '[') {
      const read = readClass(characters, at)
      if (!read.ok) return read
      text += read.value.text
      at = read.value.next
    } else if (character === '{') {
      braces++
      text += '(?:'
    } else if (character === '}' && braces > 0) {
      braces--
      text += ')'
    } else if (character === ',' && braces > 0) text += '|'
    else text += character === '/' ? '/' : literal(character)
  }
  return braces > 0 ? fail('a `{` is never closed') : ok(text)
}

/**
 * Compiles one glob:
 *
 * - `*` any characters but `/`, `**` any characters, `?` one character but `/`, `[a-z]` and `[!a-z]` one of a set,
 *   `{a,b}` either, `\` takes the next character as it is.
 * - A leading `/` ties it to the source's own top; without it, it matches at any depth.
 * - A closing `/` or `/**` names directories only.
 *
 * Upper and lower case differ. The pattern is UTF-8, names are bytes. The failure says what is wrong with it.
 */
export function compileGlob(pattern: string): Result<Glob, string> {
  const isAnchored = pattern.startsWith('/')
  let body = isAnchored ? pattern.slice(1) : pattern
  const directoriesOnly = /\/(\*\*)?$/.test(body)
  if (directoriesOnly) body = body.replace(/\/+(\*\*)?$/, '')
  if (body === '') return fail('it names nothing')
  const translated = translate(Array.from(body))
  if (!translated.ok) return translated
  const start = isAnchored ? '^' : '(?:^|/)'
  return ok({ matches: new RegExp(`${start}(?:${translated.value})$`), directoriesOnly })
}
