/** Symlinks of this machine's as remotes tell of theirs. */

import { createHash } from 'node:crypto'
import { linkDigest } from '../inventory/lsjson.ts'

/** The digest of a target, in the form in which listings tell it. */
export function digestOfTarget(target: Uint8Array): number {
  return linkDigest(createHash('md5').update(target).digest('hex'))
}
