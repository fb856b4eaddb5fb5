/** From the plan's name on the command line to the plan, and from diagnostics to what a person reads. */

import path from 'node:path'

import { ok, type Diagnostic, type Result } from '../diagnostic.ts'
import { renderCount, renderDiagnostics } from '../diagnostic-render.ts'
import { readPlanText } from '../edge/plan-file.ts'
import { readPlan, type ReadPlan } from '../plan/read.ts'
import type { TextIo } from './io.ts'

export interface LoadedPlan extends ReadPlan {
  /** What the file held, without a byte order mark. */
  readonly text: string
}

/** `file` as typed, from the working folder; `vars` as given with `--var`. */
export async function loadPlan(
  file: string,
  vars: Readonly<Record<string, string>>,
  { cwd, env, home }: TextIo,
): Promise<Result<LoadedPlan>> {
  const absolute = path.resolve(cwd, file)
  const text = await readPlanText(absolute)
  if (!text.ok) return text
  const plan = readPlan({ text: text.value, file: absolute, folder: path.dirname(absolute), home, vars, env })
  return plan.ok ? ok({ ...plan.value, text: text.value }) : plan
}

/** Diagnostics on stderr, closed by their count where one of them points into the plan. Nothing for none. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], file: string, io: TextIo): void {
  if (diagnostics.length === 0) return
  io.stderr(renderDiagnostics(diagnostics, { colour: io.isColour, folder: io.cwd }))
  if (diagnostics.some(({ at }) => at !== undefined)) io.stderr(`\n${renderCount(diagnostics, file)}`)
}
