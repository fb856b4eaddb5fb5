/** What `doctor` finds. A diagnostic tells of trouble only; a finding may be good, and may be that nobody knows. */

import type { Diagnostic } from './diagnostic.ts'

export type Verdict = 'ok' | 'warning' | 'error' | 'unknown'

export type Finding =
  | { readonly verdict: 'ok'; readonly what: string }
  | (Omit<Diagnostic, 'severity' | 'at'> & { readonly verdict: Exclude<Verdict, 'ok'> })

/** What a finding is about, in the order of the page. */
export const topics = ['here', 'tools', 'run folder', 'endpoints', 'destinations', 'slurm', 'node'] as const
export type Topic = (typeof topics)[number]

/** What one question led to. */
export interface Answer {
  readonly topic: Topic
  /** What was asked about, such as `rclone` or `endpoint old`. */
  readonly subject: string
  /** The Slurm node that it was found on; absent: this machine. */
  readonly node?: string
  readonly findings: readonly Finding[]
}

export function good(what: string): Finding {
  return { verdict: 'ok', what }
}

/** A diagnostic as a finding; `verdict` overrules its severity. */
export function trouble(
  { code, severity, what, why, todo }: Diagnostic,
  verdict: Exclude<Verdict, 'ok'> = severity,
): Finding {
  return { verdict, code, what, ...(why === undefined ? {} : { why }), todo }
}

/** A finding that is no other part's diagnostic. */
export function bad(
  verdict: Exclude<Verdict, 'ok'>,
  code: string,
  what: string,
  todo: string,
  why?: string,
): Finding {
  return { verdict, code, what, todo, ...(why === undefined ? {} : { why }) }
}

export function isGood({ verdict }: Finding): boolean {
  return verdict === 'ok'
}
