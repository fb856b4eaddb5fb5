/** `soxplan validate PLAN`: schema and rules, no look at the outside world. */

import { harmless } from '../diagnostic-render.ts'
import { ExitCode } from './exit-code.ts'
import type { TextIo } from './io.ts'
import { loadPlan, printDiagnostics } from './load-plan.ts'

export interface ValidateOptions {
  /** `--var name=value`. */
  readonly vars: Readonly<Record<string, string>>
}

/** Diagnostics on stderr, `plan.yaml is valid: 2 transfers.` on stdout. Exit code 0, or 2 for a plan with errors. */
export async function validatePlan(file: string, { vars }: ValidateOptions, io: TextIo): Promise<number> {
  const loaded = await loadPlan(file, vars, io)
  printDiagnostics(loaded.ok ? loaded.value.warnings : loaded.error, file, io)
  if (!loaded.ok) return ExitCode.usage
  const count = loaded.value.plan.transfers.length
  io.stdout(`${harmless(file)} is valid: ${count} transfer${count === 1 ? '' : 's'}.\n`)
  return ExitCode.ok
}
