/** Path in a plan → the part of the schema that is about it. */

import { nodeAt, type Path } from './locate.ts'
import type { Fragment } from './schema/fragment.ts'
import { planSchema } from './schema/plan.ts'
import type { MapNode } from './tree.ts'

/** The schema of the value at `path`, references followed; the endpoint's own form where its type is known. */
export function schemaAt(root: MapNode, path: Path): Fragment {
  let schema = planSchema
  for (const [depth, step] of path.entries()) {
    schema = formOf(resolve(schema), root, path.slice(0, depth))
    schema =
      child(schema, 'properties', step) ?? part(schema, 'additionalProperties') ?? part(schema, 'items') ?? {}
  }
  return formOf(resolve(schema), root, path)
}

/** The keys that a map at `path` may have. */
export function knownKeys(schema: Fragment): readonly string[] {
  return Object.keys(part(schema, 'properties') ?? {})
}

function resolve(schema: Fragment): Fragment {
  const reference = schema['$ref']
  if (typeof reference !== 'string') return schema
  return child(planSchema, '$defs', reference.replace('#/$defs/', '')) ?? {}
}

function formOf(schema: Fragment, root: MapNode, path: Path): Fragment {
  if (!('discriminator' in schema)) return schema
  const type = nodeAt(root, [...path, 'type'])
  const name = type?.kind === 'scalar' ? `${String(type.value)}Endpoint` : ''
  return child(planSchema, '$defs', name) ?? schema
}

function child(schema: Fragment, keyword: string, name: string): Fragment | undefined {
  const children = part(schema, keyword)
  return children !== undefined && Object.hasOwn(children, name) ? part(children, name) : undefined
}

function part(schema: Fragment, keyword: string): Fragment | undefined {
  const value = schema[keyword]
  return typeof value === 'object' && value !== null ? (value as Fragment) : undefined
}
