/** Path in the plan → where in the text it stands. */

import type { Place } from './source.ts'
import type { MapNode, WrittenNode } from './tree.ts'

/** Keys and list positions from the root, such as `['transfers', 'dataset', 'after', '0']`. */
export type Path = readonly string[]

/** The path of a JSON Pointer as ajv writes it. */
export function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function nodeAt(root: WrittenNode, path: Path): WrittenNode | undefined {
  let node: WrittenNode | undefined = root
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(step)?.node
    else if (node?.kind === 'list') node = node.items[Number(step)]
    else return undefined
  }
  return node
}

/** The value, or where it is missing or empty, its key, or the nearest parent that was written. */
export function placeOfValue(root: MapNode, path: Path): Place {
  const node = nodeAt(root, path)
  if (node !== undefined && node.place.end > node.place.start) return node.place
  return placeOfKey(root, path)
}

/** The key, or the nearest parent's key; for a list item the item itself; at the root the first key of the plan. */
export function placeOfKey(root: MapNode, path: Path): Place {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = nodeAt(root, path.slice(0, depth - 1))
    const last = path[depth - 1] ?? ''
    const item = parent?.kind === 'list' ? parent.items[Number(last)]?.place : undefined
    if (item !== undefined && item.end > 0) return item
    const entry = parent?.kind === 'map' ? parent.entries.get(last) : undefined
    if (entry !== undefined) return entry.keyPlace
  }
  const [first] = root.entries.values()
  return first?.keyPlace ?? { start: 0, end: 0 }
}
