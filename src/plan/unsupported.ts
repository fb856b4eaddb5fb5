/**
 * What a plan may say but this version does not carry out yet. Each is an error at its place: a plan never runs in
 * part. A part that is carried out from now on loses its entry here, and nothing else changes.
 */

import { errorOnItem, type Rule } from './rule.ts'

export const afterFormsNotYet: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written }) =>
    (written.after ?? []).flatMap((item) => {
      const path = ['transfers', name, 'after']
      if (typeof item === 'string' || item.allow !== 'partial' || item.transfer === undefined) return []
      return [
        errorOnItem(seen, path, item.transfer, {
          code: 'SX188',
          what: 'This version does not start a transfer after one that is delivered in part yet',
          todo: `Write \`after: [${item.transfer}]\`, or put this transfer into a plan of its own.`,
        }),
      ]
    }),
  )
