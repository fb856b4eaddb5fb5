/** Checks the tree against the JSON Schema, and takes out what does not fit, so that rules see only what does. */

import type { ErrorObject } from 'ajv/dist/2020.js'

import type { Diagnostic } from '../diagnostic.ts'
import { nodeAt, pathOf, type Path } from './locate.ts'
import { validate } from './schema-check.ts'
import { schemaDiagnostic } from './schema-diagnostic.ts'
import type { Source } from './source.ts'
import type { MapNode, WrittenNode } from './tree.ts'
import type { WrittenPlan } from './written.ts'

/** What the schema finds wrong, one diagnostic per place, and what is left of the plan without it. */
export function checkSchema(
  source: Source,
  root: MapNode,
): { readonly written: WrittenPlan; readonly problems: readonly Diagnostic[] } {
  const errors = validate(plain(root, [], new Set())) ? [] : (validate.errors ?? [])
  const wrong = new Map<string, { path: Path; error: ErrorObject }>()
  for (const error of errors) {
    const path = subjectOf(error)
    const key = JSON.stringify(path)
    const before = wrong.get(key)
    if (before === undefined || rank(error) < rank(before.error)) wrong.set(key, { path, error })
  }
  const problems = [...wrong.values()]
    .filter(({ path }) => !isUnknown(root, path))
    .map(({ path, error }) => schemaDiagnostic(source, root, path, error))
  return { written: plain(root, [], new Set(wrong.keys())) as WrittenPlan, problems }
}

/** The path of the value or key that is wrong: for an unknown or missing key that key, else the value. */
function subjectOf(error: ErrorObject): Path {
  const path = pathOf(error.instancePath)
  const { additionalProperty, missingProperty, propertyName, tag } = error.params as Record<string, unknown>
  const key = additionalProperty ?? missingProperty ?? propertyName ?? error.propertyName ?? tag
  return typeof key === 'string' ? [...path, key] : path
}

/** Of several errors about one value the most telling one speaks: a missing key, then a wrong type, then the rest. */
function rank(error: ErrorObject): number {
  const order = ['required', 'additionalProperties', 'propertyNames', 'type', 'enum', 'const']
  const index = order.indexOf(error.keyword)
  return index === -1 ? order.length : index
}

function isUnknown(root: MapNode, path: Path): boolean {
  const node = nodeAt(root, path)
  return node?.kind === 'scalar' && node.unknown === true
}

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain }

/** Plain values without the holes. Objects have no prototype: `__proto__` is a key like any other. */
function plain(node: WrittenNode, path: Path, holes: ReadonlySet<string>): Plain {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') {
    return node.items.flatMap((item, i) => {
      const at = [...path, String(i)]
      return holes.has(JSON.stringify(at)) ? [] : [plain(item, at, holes)]
    })
  }
  const result = Object.create(null) as Record<string, Plain>
  for (const [key, entry] of node.entries) {
    const at = [...path, key]
    if (!holes.has(JSON.stringify(at))) result[key] = plain(entry.node, at, holes)
  }
  return result
}
