/** What a user or the cluster can get wrong is a value: a `Result` of `Diagnostic`s, printed by one renderer. */

/** A stretch of one file, in UTF-16 offsets as the YAML parser counts them. `end` is exclusive. */
export interface SourceRange {
  readonly file: string
  /** The whole text the offsets count in. */
  readonly text: string
  readonly start: number
  readonly end: number
}

export interface Diagnostic {
  /** `SX` and three digits; `docs/errors.md` has one entry per code. */
  readonly code: string
  readonly severity: 'error' | 'warning'
  /** What is wrong, one line. */
  readonly what: string
  /** Why it matters or how it was found; may be absent where `what` says it all. */
  readonly why?: string
  /** What to do next, a full sentence or a command. Never absent: a message without a next step helps nobody. */
  readonly todo: string
  readonly at?: SourceRange
}

export type Result<Value, Failure = readonly Diagnostic[]> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: Failure }

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value }
}

export function fail<Failure>(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error }
}

/** One error without a place in a file, the most common failure of everything behind `plan/`. */
export function failWith(
  code: string,
  what: string,
  todo: string,
  why?: string,
): {
  readonly ok: false
  readonly error: readonly Diagnostic[]
} {
  return fail([{ code, severity: 'error', what, todo, ...(why === undefined ? {} : { why }) }])
}
