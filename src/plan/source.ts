/** The plan file as text, and diagnostics that point into it. */

import type { Diagnostic } from '../diagnostic.ts'

/** A stretch of the text, UTF-16 offsets, `end` exclusive. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** The plan's text and the name it goes by in messages. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** What a rule says; `why` is left out where `what` says it all. */
export interface Finding {
  readonly code: string
  readonly what: string
  readonly why?: string | undefined
  readonly todo: string
}

export function errorAt(source: Source, place: Place, finding: Finding): Diagnostic {
  return diagnosticAt(source, place, 'error', finding)
}

export function warningAt(source: Source, place: Place, finding: Finding): Diagnostic {
  return diagnosticAt(source, place, 'warning', finding)
}

/** 1-based line number of an offset. */
export function lineOf(source: Source, offset: number): number {
  let line = 1
  for (let at = source.text.indexOf('\n'); at !== -1 && at < offset; at = source.text.indexOf('\n', at + 1))
    line++
  return line
}

function diagnosticAt(
  source: Source,
  place: Place,
  severity: Diagnostic['severity'],
  { code, what, why, todo }: Finding,
): Diagnostic {
  const at = { file: source.file, text: source.text, start: place.start, end: place.end }
  return { code, severity, what, ...(why === undefined ? {} : { why }), todo, at }
}
