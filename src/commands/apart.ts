/** soxplan's own files never lie in a source: they would be listed and copied while they are written. */

import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { resolved } from '../edge/survey-ends.ts'
import { liesIn } from '../plan/paths.ts'
import type { Plan } from '../plan/plan.ts'

export const stateFolderTodo =
  'Name a folder outside of every source with --state DIR, or with `state:` in the plan.'
export const scriptsFolderTodo = 'Name a folder outside of every source with --scripts DIR.'
export const tempFolderTodo = 'Set TMPDIR to a folder outside of every source.'

/** `folder` is absolute and need not exist. Fails SX606 when it is, or lies in, what a local `from` leads to. */
export async function checkApartFromSources(
  plan: Plan,
  folder: string,
  todo: string,
): Promise<Result<undefined>> {
  const ours = await resolved(folder)
  for (const { name, from } of plan.transfers) {
    if (from.kind !== 'local') continue
    const source = await resolved(from.path)
    if (!liesIn(ours, source)) continue
    return failWith('SX606', `${folder} lies in the source of transfer ${name}, ${from.path}`, todo)
  }
  return ok(undefined)
}
