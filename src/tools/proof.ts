/** How an entry at the destination is proven to be the source's: what a verify stage compares. */

import { namesAreBytes, type Location, type Transfer } from '../plan/plan.ts'

/**
 * `size`: name, kind and size. `size+mtime`: and modification time in whole seconds, the finest that every file
 * system on the way keeps. `checksum`: content hashes of both sides. `download`: both sides read again and compared.
 */
export type ProofKind = 'none' | 'size' | 'size+mtime' | 'checksum' | 'download'

export interface ProofChoice {
  readonly kind: ProofKind
  /** What the last line of a run says after *verified by*. */
  readonly words: string
  /** What this proof cannot see, where that is worth a warning. */
  readonly blind?: string
}

const words: Readonly<Record<ProofKind, string>> = {
  none: 'nothing',
  size: 'name and size',
  'size+mtime': 'name, size and modification time',
  checksum: 'name, size and content hash',
  download: 'name, size and content, read again on both sides',
}

const sizeIsBlind =
  'a file that changed without changing its size looks the same; `verify: checksum` or `download` would tell'

/**
 * `verify: auto`: between two disks, over SSH too, size and modification time, which both keep; to or from a remote the size, because
 * a time costs a request per object on most stores, and whether both sides hold the same kind of hash is known
 * only per object. Where the plan compares by size alone, times may differ on purpose and are not asked for.
 */
export function chooseProof(
  transfer: Transfer,
  from: Location = transfer.from,
  to: Location = transfer.to,
): ProofChoice {
  const kind = transfer.verify === 'auto' ? auto(transfer, from, to) : transfer.verify
  return { kind, words: words[kind], ...(kind === 'size' ? { blind: sizeIsBlind } : {}) }
}

function auto(transfer: Transfer, from: Location, to: Location): ProofKind {
  const keepsTimes = namesAreBytes(from) && namesAreBytes(to)
  return keepsTimes && transfer.compare !== 'size' ? 'size+mtime' : 'size'
}

/** True when `.expect` records hold modification times. */
export function provesMtime(kind: ProofKind): boolean {
  return kind === 'size+mtime'
}
