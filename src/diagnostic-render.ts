/** Diagnostics as text for people: what, where, the line with a caret under it, why, and what to do. */

import type { Diagnostic, SourceRange } from './diagnostic.ts'

export interface RenderOptions {
  /** ANSI colours; whoever knows the stream decides. */
  readonly colour?: boolean
  /** Absolute folder; files in it are named relative to it. */
  readonly folder?: string
}

/** Cells of a source line that are shown; of a longer one the part around the caret. */
const MAX_CELLS = 100
const TAB_CELLS = 4

/**
 * All diagnostics, an empty line between two, each closing with a newline:
 *
 * ```
 * error SX104: Shard count is not a number
 *   plan.yaml:3:13
 *   |   - shards: many
 *   |             ^^^^
 *   Write a whole number from 1 to 1024, such as 16.
 * ```
 *
 * Columns count UTF-16 units from 1, as editors do. Nothing in it can steer a terminal: control characters come as
 * visible marks.
 */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions = {}): string {
  return diagnostics.map((diagnostic) => renderOne(diagnostic, options)).join('\n')
}

/** `2 errors, 1 warning in plan.yaml.`, with a newline; empty when there is nothing to count. */
export function renderCount(diagnostics: readonly Diagnostic[], file: string): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = diagnostics.length - errors
  const counts = [counted(errors, 'error'), counted(warnings, 'warning')].filter((text) => text !== '')
  return counts.length === 0 ? '' : `${counts.join(', ')} in ${harmless(file)}.\n`
}

function counted(number: number, word: string): string {
  return number === 0 ? '' : `${number} ${word}${number === 1 ? '' : 's'}`
}

function renderOne({ code, severity, what, why, todo, at }: Diagnostic, options: RenderOptions): string {
  const paint = options.colour === true ? ansi : (_: Style, text: string): string => text
  const tone = severity === 'error' ? 'red' : 'yellow'
  const lines = [`${paint(tone, `${severity} ${code}:`)} ${paint('bold', harmless(what))}`]
  if (at !== undefined) {
    const { line, column, shown, caret } = excerpt(at)
    lines.push(`  ${paint('dim', `${displayName(at.file, options.folder)}:${line}:${column}`)}`)
    if (shown.trim() !== '') lines.push(`  | ${shown}`.trimEnd(), `  | ${paint(tone, caret)}`)
  }
  if (why !== undefined) lines.push(...indented(why))
  lines.push(...indented(todo))
  return `${lines.join('\n')}\n`
}

function indented(text: string): readonly string[] {
  return text.split('\n').map((line) => `  ${harmless(line)}`)
}

function displayName(file: string, folder: string | undefined): string {
  const prefix = folder === undefined || folder.endsWith('/') ? folder : `${folder}/`
  const isInside = prefix !== undefined && file.startsWith(prefix) && file.length > prefix.length
  return harmless(isInside ? file.slice(prefix.length) : file)
}

type Style = 'red' | 'yellow' | 'bold' | 'dim'
const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, yellow: 33 }

function ansi(style: Style, text: string): string {
  return `\u001b[${codes[style]}m${text}\u001b[0m`
}

interface Excerpt {
  readonly line: number
  readonly column: number
  readonly shown: string
  readonly caret: string
}

/** The first line of the range, and as many carets as the range has cells on it, at least one. */
function excerpt({ text, start, end }: SourceRange): Excerpt {
  const lineStart = start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1
  const newline = text.indexOf('\n', start)
  const lineEnd = newline === -1 ? text.length : newline
  const marked = text.slice(start, Math.max(start, Math.min(end, lineEnd))).trimEnd()
  // Further away than this nothing is shown in any case; a line may be a megabyte long.
  const cutStart = Math.max(lineStart, start - 4 * MAX_CELLS)
  const cutEnd = Math.min(lineEnd, start + 4 * MAX_CELLS)
  const glyphs = glyphsOf(text.slice(cutStart, cutEnd).replace(/\r$/, ''))
  return {
    line: text.slice(0, lineStart).split('\n').length,
    column: start - lineStart + 1,
    ...windowed(
      glyphs,
      start - cutStart,
      start - cutStart + marked.length,
      cutStart > lineStart,
      cutEnd < lineEnd,
    ),
  }
}

/** What a reader takes for one character. */
interface Glyph {
  /** UTF-16 units from the start of the line. */
  readonly offset: number
  readonly shown: string
  readonly cells: number
}

function glyphsOf(line: string): readonly Glyph[] {
  const glyphs: Glyph[] = []
  let column = 0
  for (const { segment, index } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(line)) {
    const shown = segment === '\t' ? ' '.repeat(TAB_CELLS - (column % TAB_CELLS)) : harmless(segment)
    const cells = segment === '\t' ? shown.length : cellsOf(shown)
    glyphs.push({ offset: index, shown, cells })
    column += cells
  }
  return glyphs
}

function windowed(
  glyphs: readonly Glyph[],
  start: number,
  end: number,
  wasCutBefore: boolean,
  wasCutBehind: boolean,
): { readonly shown: string; readonly caret: string } {
  const caretIndex = glyphs.findIndex(({ offset }) => offset >= start)
  const caretAt = caretIndex === -1 ? glyphs.length : caretIndex
  const isLong = wasCutBefore || wasCutBehind || total(glyphs) > MAX_CELLS
  let first = 0
  // Of a long line two fifths stand before the caret: enough to see the key, and most of the value behind it.
  while (isLong && total(glyphs.slice(first, caretAt)) > MAX_CELLS * 0.4) first++
  let last = first
  let cells = 0
  for (; last < glyphs.length && (!isLong || cells < MAX_CELLS); last++) cells += glyphs[last]?.cells ?? 0
  const inside = glyphs.slice(first, last)
  const before = first > 0 || wasCutBefore ? '…' : ''
  const behind = last < glyphs.length || wasCutBehind ? '…' : ''
  const indent = before.length + total(inside.filter(({ offset }) => offset < start))
  const carets = total(inside.filter(({ offset }) => offset >= start && offset < end))
  return {
    shown: `${before}${inside.map(({ shown }) => shown).join('')}${behind}`,
    caret: `${' '.repeat(indent)}${'^'.repeat(Math.max(1, carets))}`,
  }
}

function total(glyphs: readonly Glyph[]): number {
  return glyphs.reduce((sum, { cells }) => sum + cells, 0)
}

/** Wide in every terminal: East Asian wide and full-width forms (UAX #11), and what is an emoji by itself. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]|^.\ufe0f/u

function cellsOf(glyph: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(glyph)) return 0
  return WIDE.test(glyph) ? 2 : 1
}

/** Control characters and those that turn the direction of text become one visible mark, so no plan can steer a terminal. */
export function harmless(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\p{Surrogate}]/gu, '\ufffd')
}
