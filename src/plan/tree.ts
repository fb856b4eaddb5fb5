/**
 * YAML document → a tree of our own: aliases resolved, every value with the place it was written at. Maps are `Map`s,
 * so a key such as `__proto__` is a key like any other.
 */

import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Pair } from 'yaml'

import type { Diagnostic } from '../diagnostic.ts'
import type { ParsedPlan } from './parse.ts'
import { errorAt, lineOf, type Place, type Source } from './source.ts'

export type Scalar = string | number | boolean | null

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: Scalar
  /** The value could not be made out and was reported: nothing more is to be said about it. */
  readonly unknown?: true
}
export interface ListNode {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly WrittenNode[]
}
export interface MapNode {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, { readonly keyPlace: Place; readonly node: WrittenNode }>
}
export type WrittenNode = ScalarNode | ListNode | MapNode

/** Values that aliases may add to a plan. A bomb of nine lines asks for a billion. */
const MAX_ALIASED_VALUES = 10_000
/** No field of a plan lies deeper than six levels; an alias inside its own anchor has no end. */
const MAX_DEPTH = 30

interface Walk {
  readonly source: Source
  readonly document: Document
  readonly problems: Diagnostic[]
  /** The outermost alias that is being resolved, if any. */
  alias: Place | undefined
  aliasedValues: number
}

const NOTHING: Place = { start: 0, end: 0 }

/** Reads the tree. Duplicate keys keep their first value; a value that could not be read is null. */
export function readTree(
  source: Source,
  { document, root }: ParsedPlan,
): { readonly root: MapNode; readonly problems: readonly Diagnostic[] } {
  const walk: Walk = { source, document, problems: [], alias: undefined, aliasedValues: 0 }
  const tree = read(walk, root, 0)
  return {
    root: tree.kind === 'map' ? tree : { kind: 'map', place: NOTHING, entries: new Map() },
    problems: walk.problems,
  }
}

function read(walk: Walk, node: Node | null | undefined, depth: number): WrittenNode {
  const place = placeOf(node)
  if (node === null || node === undefined) return { kind: 'scalar', place, value: null }
  if (walk.alias !== undefined && ++walk.aliasedValues > MAX_ALIASED_VALUES) return tooMuch(walk, walk.alias)
  if (depth > MAX_DEPTH) return tooMuch(walk, walk.alias ?? place)
  if (isAlias(node)) return readAlias(walk, node.resolve(walk.document), place, depth)
  if (node.tag !== undefined && !isMap(node) && !isSeq(node)) refuseTag(walk, node.tag, place)
  if (isMap(node)) return readMap(walk, node.items as Pair<Node, Node | null>[], place, depth)
  if (isSeq(node)) {
    return {
      kind: 'list',
      place,
      items: node.items.map((item) => read(walk, item as Node | null, depth + 1)),
    }
  }
  return { kind: 'scalar', place, value: isScalar(node) ? scalarOf(node.value) : null }
}

function readAlias(walk: Walk, target: Node | undefined, place: Place, depth: number): WrittenNode {
  const outermost = walk.alias === undefined
  walk.alias ??= place
  const node = read(walk, target, depth + 1)
  if (outermost) walk.alias = undefined
  return node
}

function readMap(
  walk: Walk,
  pairs: readonly Pair<Node, Node | null>[],
  place: Place,
  depth: number,
): MapNode {
  const entries = new Map<string, { keyPlace: Place; node: WrittenNode }>()
  for (const { key, value } of pairs) {
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : ''
    const keyPlace = placeOf(key)
    const first = entries.get(name)
    if (first === undefined) entries.set(name, { keyPlace, node: read(walk, value, depth + 1) })
    else {
      walk.problems.push(
        errorAt(walk.source, keyPlace, {
          code: 'SX105',
          what: `'${name}' is written twice`,
          why: `It stands on line ${lineOf(walk.source, first.keyPlace.start)} already, and only one of them could count.`,
          todo: 'Remove one of the two, or give it another name.',
        }),
      )
    }
  }
  return { kind: 'map', place, entries }
}

/** One message for all that follows from one alias: the counter stays over its limit, so the rest is not walked. */
function tooMuch(walk: Walk, place: Place): WrittenNode {
  const said = walk.problems.some(({ code }) => code === 'SX108')
  if (!said) {
    walk.problems.push(
      errorAt(walk.source, place, {
        code: 'SX108',
        what:
          walk.alias === undefined ? 'The plan is nested too deep' : 'Aliases make this plan far too large',
        why:
          walk.alias === undefined
            ? `This lies more than ${MAX_DEPTH} levels deep.`
            : `Resolved, this one would add more than ${MAX_ALIASED_VALUES} values or refer to itself.`,
        todo: 'Write the values out, or refer only to small blocks.',
      }),
    )
  }
  walk.aliasedValues = MAX_ALIASED_VALUES
  return { kind: 'scalar', place, value: null, unknown: true }
}

const plainTags = new Set(['str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`))

function refuseTag(walk: Walk, tag: string, place: Place): void {
  if (tag === '!' || plainTags.has(tag)) return
  walk.problems.push(
    errorAt(
      walk.source,
      { ...place, start: walk.source.text.lastIndexOf('!', place.start) },
      {
        code: 'SX119',
        what: 'A YAML tag that a plan has no use for',
        why: `Nothing in a plan is of the type ${tag}.`,
        todo: 'Remove the tag, the word that starts with `!`.',
      },
    ),
  )
}

function scalarOf(value: unknown): Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function placeOf(node: Node | null | undefined): Place {
  const range = node?.range
  return range ? { start: range[0], end: range[1] } : NOTHING
}
