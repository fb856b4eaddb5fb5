/**
 * What a plan may say but this version does not carry out yet. Each is an error at its place: a plan never runs in
 * part. A part that is carried out from now on loses its entry here, and nothing else changes.
 */

import { errorOn, errorOnItem, type Rule } from './rule.ts'

export const transferPartsNotYet: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written, from, to }) => {
    const path = ['transfers', name]
    return [
      ...(written.symlinks === 'keep' &&
      [from, to].some((end) => end?.type === 'rclone' || end?.type === 's3') &&
      (written.mode === 'mirror' || written.fixup !== undefined)
        ? [
            errorOn(seen, [...path, 'symlinks'], {
              code: 'SX189',
              what: 'This version does not keep symlinks on a remote together with `mode: mirror` or `fixup` yet',
              todo: 'Write `symlinks: follow` to copy what they lead to, or `symlinks: skip` to leave them out.',
            }),
          ]
        : []),
    ]
  })

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
