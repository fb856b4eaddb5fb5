/** Rules about sources and destinations: what is written once is written by one, and never read while it is written. */

import type { Diagnostic } from '../diagnostic.ts'
import type { Spot } from './location.ts'
import { relation } from './paths.ts'
import { errorOn, warningOn, type Rule } from './rule.ts'
import { lineOf, type Finding } from './source.ts'
import { placeOfValue } from './locate.ts'

/** Source and destination of one transfer must not overlap: it would copy its own output, or write over its input. */
export const placesDoNotOverlap: Rule = (seen) =>
  seen.transfers.flatMap(({ name, from, to }) => {
    if (from === undefined || to === undefined) return []
    const finding = overlap[between(to, from)]
    return finding === undefined ? [] : [errorOn(seen, ['transfers', name, 'to'], finding)]
  })

const overlap: Readonly<Record<Between, Finding | undefined>> = {
  apart: undefined,
  same: {
    code: 'SX127',
    what: 'The destination is the source',
    todo: 'Change `to`, or remove the transfer: there is nothing to copy.',
  },
  inside: {
    code: 'SX125',
    what: 'The destination lies inside its own source',
    why: 'What is copied would become part of what is to be copied.',
    todo: 'Choose a `to` outside of `from`, or narrow `from` to the folders that are meant.',
  },
  around: {
    code: 'SX126',
    what: 'The source lies inside its own destination',
    why: 'Files could be written over the ones they are copied from.',
    todo: 'Choose a `to` that does not hold `from`, such as a new folder beside it.',
  },
}

/** Law 13: no two transfers write into one destination. Folders beside each other are fine. */
export const destinationsAreApart: Rule = (seen) => {
  const problems: Diagnostic[] = []
  for (const [index, later] of seen.transfers.entries()) {
    const to = later.to
    if (to === undefined) continue
    const earlier = seen.transfers
      .slice(0, index)
      .find((other) => other.to && between(to, other.to) !== 'apart')
    if (earlier?.to === undefined) continue
    const line = lineOf(seen.source, placeOfValue(seen.root, ['transfers', earlier.name, 'to']).start)
    const how = {
      same: 'the same place',
      inside: 'a folder inside it',
      around: 'a folder around it',
      apart: '',
    }
    problems.push(
      errorOn(seen, ['transfers', later.name, 'to'], {
        code: 'SX124',
        what: `'${earlier.name}' and '${later.name}' write into one destination`,
        why: `'${earlier.name}' has its destination on line ${line}; this is ${how[between(to, earlier.to)]}.`,
        todo: 'Give each transfer a folder of its own, side by side.',
      }),
    )
  }
  return problems
}

/** Sources are listed before anything moves, so what another transfer is still to bring is not in the list. */
export const sourcesAreNotWritten: Rule = (seen) =>
  seen.transfers.flatMap((reader) => {
    const from = reader.from
    if (from === undefined) return []
    const writer = seen.transfers.find(
      ({ name, to }) => name !== reader.name && to && between(from, to) !== 'apart',
    )
    if (writer === undefined) return []
    return [
      warningOn(seen, ['transfers', reader.name, 'from'], {
        code: 'SX154',
        what: `'${reader.name}' reads where '${writer.name}' writes`,
        why: `Sources are listed before anything moves: what '${writer.name}' is still to bring will not be copied.`,
        todo: `Put '${reader.name}' into a plan of its own and apply it afterwards, or read from the source of '${writer.name}'.`,
      }),
    ]
  })

type Between = ReturnType<typeof relation>

function between(a: Spot, b: Spot): Between {
  return a.space === b.space ? relation(a.segments, b.segments) : 'apart'
}
