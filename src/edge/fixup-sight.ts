/** What the listing of a source and a look at the destination can tell about the attributes that a fixup sets. */

import type { FixupSight } from '../inventory/attributes.ts'
import type { Fixup, Location } from '../plan/plan.ts'

/**
 * A destination on this machine is looked at for its attributes, one on a server is not; ACLs and extended attributes are
 * seen by neither. Owners are numbers in a listing, which say nothing about the names on another machine, and only
 * root may give files away.
 */
export function sightOf(
  { from, preserve, owners }: Fixup,
  source: Location,
  destination: Location,
  user: { readonly uid: number; readonly groups: readonly number[] } = thisUser(),
): FixupSight {
  const asks = new Set(preserve)
  const isRoot = user.uid === 0
  const owner = asks.has('owner') && isRoot
  const namesDiffer = source.kind !== 'local' && owners === 'names'
  const isHidden = asks.has('acls') || asks.has('xattrs')
  if (from !== undefined || destination.kind !== 'local' || isHidden) return { tells: 'nothing' }
  if (namesDiffer && (owner || asks.has('group'))) return { tells: 'nothing' }
  return {
    tells: 'attributes',
    permissions: asks.has('permissions'),
    times: asks.has('times'),
    hardLinks: asks.has('hardlinks'),
    owner,
    ...(asks.has('group') ? { groups: isRoot ? 'all' : new Set(user.groups) } : {}),
  }
}

function thisUser(): { readonly uid: number; readonly groups: readonly number[] } {
  return {
    uid: process.geteuid?.() ?? -1,
    groups: [...(process.getgroups?.() ?? []), process.getegid?.() ?? -1],
  }
}
