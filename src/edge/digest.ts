/** The identity of a plan as it was applied. */

import { createHash } from 'node:crypto'

/** Digest of the plan's text and of the values given with `--var`, in any order. */
export function planDigest(text: string, vars: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(vars).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([text, sorted]))
    .digest('hex')
}
