/** Rules about `mode: mirror`: nothing is deleted on the word of an unproven copy, and no field stands for nothing. */

import { errorOn, warningOn, type Rule } from './rule.ts'

export const mirrorIsProven: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { mode, verify } }) => {
    if (mode !== 'mirror' || verify !== 'none') return []
    return [
      errorOn(seen, ['transfers', name, 'verify'], {
        code: 'SX350',
        what: "'mode: mirror' cannot hold with 'verify: none'",
        why: 'Nothing is deleted before everything else of the transfer is proven.',
        todo: 'Write `verify: auto`, or `mode: copy`.',
      }),
    ]
  })

export const maxDeleteIsUsed: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { mode, maxDelete } }) => {
    if (maxDelete === undefined || mode === 'mirror') return []
    return [
      warningOn(seen, ['transfers', name, 'maxDelete'], {
        code: 'SX359',
        what: "'maxDelete' means nothing without 'mode: mirror'",
        todo: 'Remove it, or write `mode: mirror`.',
      }),
    ]
  })
