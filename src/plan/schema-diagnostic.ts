/** One error of the schema → one diagnostic in plain words, at its place. */

import type { ErrorObject } from 'ajv/dist/2020.js'

import type { Diagnostic } from '../diagnostic.ts'
import { nodeAt, placeOfKey, placeOfValue, type Path } from './locate.ts'
import { nearestOrAll } from './nearest.ts'
import { ONE_LINE, type Fragment } from './schema/fragment.ts'
import { knownKeys, schemaAt } from './schema-lookup.ts'
import { errorAt, type Finding, type Source } from './source.ts'
import type { MapNode } from './tree.ts'
import { specialFinding } from './special-fields.ts'

interface Subject {
  readonly source: Source
  readonly root: MapNode
  readonly path: Path
  readonly name: string
  readonly parent: Fragment
  readonly schema: Fragment
}

/** `path` is the value or key that the error is about. */
export function schemaDiagnostic(source: Source, root: MapNode, path: Path, error: ErrorObject): Diagnostic {
  const subject: Subject = {
    source,
    root,
    path,
    name: path.at(-1) ?? 'plan',
    parent: schemaAt(root, path.slice(0, -1)),
    schema: schemaAt(root, path),
  }
  const isAboutKey = ['required', 'additionalProperties', 'propertyNames', 'minProperties'].includes(
    error.keyword,
  )
  const place = isAboutKey ? placeOfKey(root, path) : placeOfValue(root, path)
  return errorAt(source, place, findingFor(subject, error))
}

function findingFor(subject: Subject, error: ErrorObject): Finding {
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(subject)
    case 'required':
      return missing(subject)
    case 'propertyNames':
      return badName(subject)
    case 'enum':
    case 'const':
      return otherWord(subject)
    default:
      return specialFinding(subject.name, writtenText(subject)) ?? wrongValue(subject, error)
  }
}

function unknownKey({ path, name, parent }: Subject): Finding {
  const keys = knownKeys(parent)
  if (path.at(-3) === 'options') {
    return {
      code: 'SX131',
      what: `'${name}' is not an option that a plan may set for ${path.at(-2) ?? 'this tool'}`,
      why: 'Only tuning is allowed here: any other flag could change what is copied, or what the proof at the end is worth.',
      todo: nearestOrAll(name.replace(/^-+/, ''), keys, 'Allowed'),
    }
  }
  if (name === '<<') {
    return {
      code: 'SX106',
      what: "'<<' does not merge maps here",
      why: 'Merge keys were dropped from YAML with version 1.2.',
      todo: 'Write the fields out, or refer to a whole value with an alias: slurm: *big',
    }
  }
  return {
    code: 'SX106',
    what: `'${name}' is not a known field`,
    todo: nearestOrAll(name, keys, 'Known here'),
  }
}

function missing({ path, name, schema }: Subject): Finding {
  const where = path.length === 1 ? 'The plan' : `'${path.at(-2) ?? ''}'`
  return {
    code: 'SX107',
    what: `${where} has no '${name}'`,
    why: descriptionOf(schema),
    todo: `Add it, such as \`${name}: ${example(schema)}\`.`,
  }
}

function badName({ path, name }: Subject): Finding {
  const kinds: Readonly<Record<string, string>> = {
    transfers: 'a transfer',
    endpoints: 'an endpoint',
    vars: 'a variable',
  }
  return {
    code: 'SX118',
    what: `'${name}' cannot be the name of ${kinds[path[0] ?? ''] ?? 'anything'}`,
    todo: 'Start with a letter and use only letters, digits, `-` and `_`, 64 characters at most.',
  }
}

function otherWord(subject: Subject): Finding {
  const { name, schema } = subject
  if ('const' in schema) {
    return {
      code: 'SX117',
      what: `'${name}' has an unknown value`,
      todo: `Write \`${name}: ${JSON.stringify(schema['const'])}\`.`,
    }
  }
  const words = (schema['enum'] as readonly unknown[] | undefined)?.map(String) ?? []
  return {
    code: 'SX117',
    what: `'${name}' has an unknown value`,
    todo: nearestOrAll(writtenText(subject), words, 'Write one of'),
  }
}

const faults: Readonly<Record<string, string>> = {
  pattern: 'is not in the form that is allowed',
  minimum: 'is too small',
  maximum: 'is too large',
  minLength: 'is empty',
  maxLength: 'is too long',
  minItems: 'is empty',
  maxItems: 'has too many items',
  uniqueItems: 'has an item twice',
  minProperties: 'is empty',
  maxProperties: 'has too many entries',
}

const typeWords: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
}

function wrongValue(subject: Subject, error: ErrorObject): Finding {
  const { name, path, root, schema } = subject
  const node = nodeAt(root, path)
  const label = /^\d+$/.test(name) ? `An item of '${path.at(-2) ?? ''}'` : `'${name}'`
  const advice = `Write ${expectation(schema)}, such as ${example(schema)}.`
  if (node?.kind === 'scalar' && node.value === null)
    return { code: 'SX104', what: `${label} has no value`, todo: advice }
  if (error.keyword !== 'type') {
    const isOneLine = schema['pattern'] === ONE_LINE && error.keyword === 'pattern'
    const why = isOneLine
      ? 'It may hold neither line breaks nor other control characters, and not be empty.'
      : descriptionOf(schema)
    return { code: 'SX104', what: `${label} ${faults[error.keyword] ?? 'is not allowed'}`, why, todo: advice }
  }
  const types = [schema['type']].flat().map(String)
  const isBare = node?.kind === 'scalar' && typeof node.value !== 'string'
  if (types.includes('string') && isBare) {
    return {
      code: 'SX104',
      what: `${label} is not text`,
      why: `YAML reads ${writtenText(subject)} as ${typeof node.value === 'number' ? 'a number' : 'true or false'}.`,
      todo: `Put it in quotes: "${writtenText(subject)}".`,
    }
  }
  const isYes = types.includes('boolean') && /^(yes|no|on|off)$/i.test(writtenText(subject))
  return {
    code: 'SX104',
    what: `${label} is not ${wordsFor(types)}`,
    why: isYes ? `Since version 1.2 YAML reads ${writtenText(subject)} as text.` : undefined,
    todo: isYes ? 'Write true or false.' : advice,
  }
}

/** What the schema asks for, as the rest of a sentence that starts with "Write". */
function expectation(schema: Fragment): string {
  const types = [schema['type']].flat().map(String)
  const words = wordsFor(types)
  const { minimum, maximum, minProperties } = schema
  if (typeof minimum === 'number' && typeof maximum === 'number' && types.length === 1) {
    return `${words} from ${minimum} to ${maximum}`
  }
  return typeof minProperties === 'number' ? `${words} with at least one entry` : words
}

function wordsFor(types: readonly string[]): string {
  const words = types.map((type) => typeWords[type] ?? type)
  return words.length > 2 ? `${words.slice(0, -1).join(', ')}, or ${words.at(-1) ?? ''}` : words.join(' or ')
}

function example(schema: Fragment): string {
  const [first] = (schema['examples'] as readonly unknown[] | undefined) ?? []
  return first === undefined ? '"text"' : flowText(first)
}

/** A value as YAML on one line. */
function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key}: ${flowText(inner)}`)
      .join(', ')} }`
  }
  const isPlain = typeof value === 'string' && /^[A-Za-z/~][\w./+@~-]*$/.test(value)
  return isPlain ? value : JSON.stringify(value)
}

function descriptionOf(schema: Fragment): string | undefined {
  const description = schema['description']
  return typeof description === 'string' ? description : undefined
}

/** The value as it stands in the file, quotes and all; a long one is cut. */
function writtenText({ source, root, path }: Subject): string {
  const node = nodeAt(root, path)
  if (node === undefined) return ''
  const text = source.text.slice(node.place.start, node.place.end).trim()
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
