/** What a rule gets to see. A rule is a function that looks at one thing and says what is wrong with it. */

import type { Diagnostic } from '../diagnostic.ts'
import type { Spot } from './location.ts'
import { nodeAt, placeOfKey, placeOfValue, type Path } from './locate.ts'
import { errorAt, warningAt, type Finding, type Place, type Source } from './source.ts'
import type { MapNode } from './tree.ts'
import type { WrittenPlan, WrittenTransfer } from './written.ts'

/** A transfer with as much of its places as could be made out. */
export interface SeenTransfer {
  readonly name: string
  readonly written: WrittenTransfer
  readonly from?: Spot
  readonly to?: Spot
  /** Where a fixup reads attributes, where the plan says so. */
  readonly fixupFrom?: Spot
}

export interface Seen {
  readonly source: Source
  readonly root: MapNode
  readonly written: WrittenPlan
  /** In the order of the file. */
  readonly transfers: readonly SeenTransfer[]
  /** Every transfer name that stands in the file, those with mistakes too. */
  readonly transferNames: ReadonlySet<string>
}

export type Rule = (seen: Seen) => readonly Diagnostic[]

export function errorOn(seen: Seen, path: Path, finding: Finding): Diagnostic {
  return errorAt(seen.source, placeOfValue(seen.root, path), finding)
}

export function errorOnKey(seen: Seen, path: Path, finding: Finding): Diagnostic {
  return errorAt(seen.source, placeOfKey(seen.root, path), finding)
}

export function warningOn(seen: Seen, path: Path, finding: Finding): Diagnostic {
  return warningAt(seen.source, placeOfValue(seen.root, path), finding)
}

export function errorOnItem(seen: Seen, path: Path, item: string, finding: Finding): Diagnostic {
  return errorAt(seen.source, placeOfItem(seen.root, path, item), finding)
}

/**
 * The item of a list by its value, because positions shift where a wrong item was taken out. An item that is a map
 * counts as its `transfer`.
 */
function placeOfItem(root: MapNode, path: Path, item: string): Place {
  const list = nodeAt(root, path)
  for (const node of list?.kind === 'list' ? list.items : []) {
    const scalar = node.kind === 'map' ? node.entries.get('transfer')?.node : node
    if (scalar?.kind === 'scalar' && scalar.value === item) return scalar.place
  }
  return placeOfValue(root, path)
}
