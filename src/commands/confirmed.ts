/** `--confirm NAME`: whoever types it means all deletions of that transfer, however many they are. */

import { fail, ok, type Result } from '../diagnostic.ts'
import type { Plan } from '../plan/plan.ts'

/** Fails SX357 for a name that is no mirror of the plan: it would confirm nothing. */
export function checkConfirmed(plan: Plan, names: readonly string[]): Result<ReadonlySet<string>> {
  const mirrors = plan.transfers.filter(({ mirror }) => mirror !== undefined).map(({ name }) => String(name))
  const wrong = names.filter((name) => !mirrors.includes(name))
  if (wrong.length === 0) return ok(new Set(names))
  return fail(
    wrong.map((name) => ({
      code: 'SX357',
      severity: 'error',
      what: `--confirm ${name}: the plan has no transfer of that name with \`mode: mirror\``,
      todo:
        mirrors.length === 0
          ? 'Leave it out: nothing is deleted.'
          : `Name one of these, or leave it out: ${mirrors.join(', ')}.`,
    })),
  )
}
