/** Rules about `fixup`: rsync reads attributes at one place and sets them at another, so both must have some. */

import type { Diagnostic } from '../diagnostic.ts'
import type { Spot } from './location.ts'
import { relation } from './paths.ts'
import { defaultPreserve } from './plan.ts'
import { errorOn, errorOnKey, type Rule, type Seen, type SeenTransfer } from './rule.ts'
import { typeWords } from './rules-policy.ts'
import type { Finding } from './source.ts'

export const fixupWritesAttributes: Rule = (seen) =>
  withFixup(seen).flatMap((transfer) => {
    const { name, to } = transfer
    if (to === undefined || hasAttributes(to)) return []
    return [
      errorOnKey(seen, ['transfers', name, 'fixup'], {
        code: 'SX160',
        what: `A fixup cannot set attributes in ${typeWords[to.type]}`,
        why: 'Owners and permissions are things of disks.',
        todo: 'Remove `fixup`, or write a folder or an SSH server as `to`.',
      }),
    ]
  })

export const fixupReadsAttributes: Rule = (seen) =>
  withFixup(seen).flatMap((transfer) => {
    const source = sourceOf(transfer)
    if (source === undefined || hasAttributes(source)) return []
    return [
      onSource(seen, transfer, {
        code: 'SX161',
        what: `A fixup cannot read attributes from ${typeWords[source.type]}`,
        why: 'Owners and permissions are things of disks.',
        todo: 'Write `from` under `fixup`: the folder or the SSH server that has the same files with their attributes.',
      }),
    ]
  })

export const fixupHasOneServer: Rule = (seen) =>
  withFixup(seen).flatMap((transfer) => {
    if (transfer.to?.type !== 'ssh' || sourceOf(transfer)?.type !== 'ssh') return []
    return [
      onSource(seen, transfer, {
        code: 'SX162',
        what: 'A fixup cannot go from one SSH server to another',
        why: 'rsync, which carries it out, needs one of the two places on the machine that it runs on.',
        todo: 'Apply the plan on one of the two servers, with a path in the place of its endpoint.',
      }),
    ]
  })

/**
 * With times of a third place the copy would look different from its source: the proof would fail, and the next apply
 * would copy everything again.
 */
export const fixupTimesFit: Rule = (seen) =>
  withFixup(seen).flatMap((transfer) => {
    const { name, written, from, fixupFrom } = transfer
    if (fixupFrom === undefined || isSamePlace(from, fixupFrom)) return []
    if (!(written.fixup?.preserve ?? defaultPreserve).includes('times') || !looksAtTimes(transfer)) return []
    return [
      errorOn(seen, ['transfers', name, 'fixup', 'from'], {
        code: 'SX163',
        what: 'The times of `fixup.from` would make the copy look different from `from`',
        why: 'Files are compared with `from` by size and modification time: the proof would fail, and the next apply would copy them again.',
        todo: 'Write `compare: size` and no `verify` by time, or leave `times` out of `preserve`.',
      }),
    ]
  })

/** Between two places that tell times for free, `auto` compares them. */
function looksAtTimes({ written, from }: SeenTransfer): boolean {
  const { compare = 'auto', verify = 'auto', existing } = written
  if (existing === 'keep-newer' || compare === 'size+mtime' || verify === 'size+mtime') return true
  if (compare === 'auto') return from?.type !== 's3'
  // A proof that is left to `auto` goes by time, unless the plan compares by size alone.
  return compare === 'checksum' && verify === 'auto' && from !== undefined && hasAttributes(from)
}

/** Recent versions of rsync refuse every path that leads over a symlink. */
export const fixupFitsLinks: Rule = (seen) =>
  withFixup(seen).flatMap(({ name, written }) => {
    if (written.followDestinationLinks !== true) return []
    return [
      errorOn(seen, ['transfers', name, 'followDestinationLinks'], {
        code: 'SX164',
        what: 'A fixup does not write through symlinks at the destination',
        why: 'rsync, which carries it out, refuses paths that lead over one (3.5.0 was tried).',
        todo: 'Remove `followDestinationLinks`, or `fixup`.',
      }),
    ]
  })

/** True for two ways to write one place. */
export function isSamePlace(one: Spot | undefined, other: Spot): boolean {
  return one?.space === other.space && relation(one.segments, other.segments) === 'same'
}

function withFixup({ transfers }: Seen): readonly SeenTransfer[] {
  return transfers.filter(({ written }) => written.fixup !== undefined)
}

/** Absent where it could not be made out. */
function sourceOf({ written, from, fixupFrom }: SeenTransfer): Spot | undefined {
  return written.fixup?.from === undefined ? from : fixupFrom
}

function hasAttributes({ type }: Spot): boolean {
  return type === 'local' || type === 'ssh'
}

function onSource(seen: Seen, { name, written }: SeenTransfer, finding: Finding): Diagnostic {
  const path = ['transfers', name, 'fixup']
  return written.fixup?.from === undefined
    ? errorOnKey(seen, path, finding)
    : errorOn(seen, [...path, 'from'], finding)
}
