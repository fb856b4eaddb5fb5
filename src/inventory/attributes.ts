/** Whether an entry that is at the destination already has the attributes that a fixup would give it. */

import { kindBytes, type RecordView } from './entry.ts'
import type { Found } from './fates.ts'

/** What a look at both sides can tell of them. */
export type FixupSight =
  /** Not enough: everything that is there goes to the fixup again. */
  | { readonly tells: 'nothing' }
  | {
      readonly tells: 'attributes'
      readonly permissions: boolean
      readonly times: boolean
      readonly hardLinks: boolean
      readonly owner: boolean
      /** Groups that this user may give files to; `all` for root. Absent: the plan does not ask for groups. */
      readonly groups?: 'all' | ReadonlySet<number>
    }

const space = 0x20
const zero = 0x30

/** The mode, owner and group of the record, or undefined where the source does not tell them. */
function readOwner(view: RecordView): readonly [mode: number, uid: number, gid: number] | undefined {
  const { buffer } = view
  let at = view.ownerStart
  const number = (base: number): number => {
    let value = 0
    for (; buffer[at] !== space; at++) {
      const digit = (buffer[at] ?? 0) - zero
      if (digit < 0 || digit >= base) return NaN
      value = value * base + digit
    }
    at++
    return value
  }
  const mode = number(8)
  if (Number.isNaN(mode)) return undefined
  const uid = number(10)
  if (Number.isNaN(uid)) return undefined
  const gid = number(10)
  return Number.isNaN(gid) ? undefined : [mode, uid, gid]
}

/**
 * True when a fixup has nothing to set, or nothing that it could. Whole seconds of times; a file of several names counts
 * as linked when it has several at the destination, too.
 */
export function isFixed(view: RecordView, found: Found, sight: FixupSight): boolean {
  if (sight.tells === 'nothing' || !found.hasAttributes) return false
  const owner = readOwner(view)
  if (owner === undefined) return false
  const [mode, uid, gid] = owner
  const isLink = view.kindByte === kindBytes.symlink
  if (sight.permissions && !isLink && mode !== found.mode) return false
  if (sight.times && view.mtimeSeconds !== found.mtimeSeconds) return false
  if (sight.owner && uid !== found.uid) return false
  if (mayGive(gid, sight.groups) && gid !== found.gid) return false
  return !(sight.hardLinks && view.kindByte === kindBytes.file && view.links > 1 && found.links === 1)
}

function mayGive(gid: number, groups: 'all' | ReadonlySet<number> | undefined): boolean {
  return groups === 'all' || groups?.has(gid) === true
}
