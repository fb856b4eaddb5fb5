/** The only shell quoting in the house. */

import { Bug } from '../units.ts'

/**
 * One word for bash that stands for exactly `text`: in single quotes, where bash looks at nothing but the next one.
 * Plain words are left bare, because scripts are read by people.
 *
 * @throws Bug for a NUL, which no argument of a program can hold.
 */
export function quote(text: string): string {
  if (text.includes('\0')) throw new Bug('a shell word cannot hold a NUL')
  if (/^[A-Za-z0-9_./:@%-][A-Za-z0-9_./:@%=-]*$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** `('one' 'two')`, over several lines where it is long. */
export function quoteArray(words: readonly string[]): string {
  const quoted = words.map(quote)
  const line = `(${quoted.join(' ')})`
  if (line.length <= 100) return line
  return `(\n${quoted.map((word) => `  ${word}\n`).join('')})`
}
