/** What a fixup could not set, in a line of the report for each attribute. */

import type { Attribute } from '../plan/plan.ts'
import { formatPlural } from './format.ts'

/** Of a fixup, printable: what is not as it is at the source, which trying again would not change. */
export interface NotPreserved {
  readonly attribute: Attribute
  readonly count: number
  /** The first names. */
  readonly named: readonly string[]
}

/** Why an attribute could not be set, and what would help. */
const unsetReasons: Readonly<Record<Attribute, string>> = {
  owner: 'only root may give files away, and only to users that the destination knows',
  group: 'this user may give files only to groups that it is in and that the destination knows',
  permissions: 'only the owner of a file may change them',
  times: 'only the owner of a file may set them',
  acls: 'the file system does not take them, or this user may not set them',
  xattrs: 'the file system does not take them, or this user may not set them',
  hardlinks: 'they stay files of their own, because their contents differ or the link was not allowed',
}

export function notPreservedLine({ attribute, count, named }: NotPreserved): string {
  const more = count > named.length ? ' and others' : ''
  return `  ${attribute} not preserved: ${formatPlural(count, 'entry', 'entries')} (${named.join(', ')}${more}); ${unsetReasons[attribute]}`
}
