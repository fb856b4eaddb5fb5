/** Which tools a plan's transfers ask for, before anything is known of their sources. */

import type { Location, ToolName, Transfer } from '../plan/plan.ts'
import { isRcloneNamed } from './rclone-place.ts'
import { toolOf } from './tools.ts'

/** `must`: nothing goes without it. `may`: another tool of the same transfer can take its place. */
export type Need = 'must' | 'may'

/** Every tool that some transfer asks for, with the stronger of its needs. */
export function toolNeeds(transfers: readonly Transfer[]): ReadonlyMap<ToolName, Need> {
  const needs = new Map<ToolName, Need>()
  for (const [name, need] of transfers.flatMap(needsOf)) if (needs.get(name) !== 'must') needs.set(name, need)
  return needs
}

function needsOf({ tool, from, to, fixup }: Transfer): readonly (readonly [ToolName, Need])[] {
  // Whatever copies, only rclone looks at a remote.
  const looking = [
    ...(isRcloneNamed(from) || isRcloneNamed(to) ? [['rclone', 'must'] as const] : []),
    ...(fixup === undefined ? [] : [['rsync', 'must'] as const]),
  ]
  if (tool !== 'auto') return [...looking, [tool, 'must']]
  const able = (['rsync', 'rclone'] as const).filter((name) =>
    toolOf(name).carries(asHoped(from), asHoped(to)),
  )
  return [...looking, ...able.map((name) => [name, able.length === 1 ? 'must' : 'may'] as const)]
}

/** A server that nobody has asked yet counts as one with an rsync. */
function asHoped(location: Location): Location {
  return location.kind === 'ssh' ? { rsync: { major: 3, minor: 1 }, ...location } : location
}
