/** `${name}` and `${env.NAME}` in the values of a plan. */

import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from './nearest.ts'
import { NAME_PATTERN } from './schema/fragment.ts'
import { looksSecret } from './secrets.ts'
import { errorAt, type Finding, type Place, type Source } from './source.ts'
import type { MapNode, Scalar, ScalarNode, WrittenNode } from './tree.ts'

/** Values from outside the file. */
export interface Outside {
  /** `--var name=value`. */
  readonly vars: ReadonlyMap<string, string>
  readonly env: Readonly<Record<string, string | undefined>>
}

interface Scope extends Outside {
  readonly source: Source
  readonly problems: Diagnostic[]
  /** Undefined for a variable whose value was reported as wrong; no map at all when `vars:` itself is. */
  readonly declared: ReadonlyMap<string, Scalar | undefined> | undefined
}

type Lookup = { readonly value: Scalar } | { readonly silent: true } | { readonly finding: Finding }

/** Group 1 is the name; without it the match is `$${`, a plain `${`, or a `${` that nothing closes. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}|\$\{/g

/**
 * Puts in the values. Not in keys, not in `vars:` (but `${env.NAME}` there), and not in the `setup:` lines of tools,
 * whose `${…}` belong to the shell. A reference that cannot be resolved makes its value unknown.
 */
export function expandVariables(
  source: Source,
  root: MapNode,
  outside: Outside,
): { readonly root: MapNode; readonly problems: readonly Diagnostic[] } {
  const problems: Diagnostic[] = []
  const declared = readDeclared({ ...outside, source, problems, declared: new Map() }, root)
  const scope: Scope = { ...outside, source, problems, declared }
  const expanded = expand(scope, root, [])
  return { root: expanded.kind === 'map' ? expanded : root, problems }
}

function expand(scope: Scope, node: WrittenNode, path: readonly string[]): WrittenNode {
  if (path[0] === 'vars' || (path[0] === 'tools' && path[2] === 'setup')) return node
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item, i) => expand(scope, item, [...path, String(i)])) }
  }
  if (node.kind === 'map') {
    const entries = new Map(
      [...node.entries].map(([key, entry]) => [
        key,
        { ...entry, node: expand(scope, entry.node, [...path, key]) },
      ]),
    )
    return { ...node, entries }
  }
  return expandScalar(scope, node)
}

function expandScalar(scope: Scope, node: ScalarNode): ScalarNode {
  if (typeof node.value !== 'string' || !node.value.includes('${')) return node
  const references = [...node.value.matchAll(REFERENCE)]
  let result = ''
  let done = 0
  let isUnknown = false
  for (const [index, reference] of references.entries()) {
    const found = lookUp(scope, reference)
    if ('finding' in found) {
      scope.problems.push(
        errorAt(scope.source, placeOfReference(scope.source, node, references.length, index), found.finding),
      )
    }
    // A value that is one reference and nothing else keeps its type, so that `nodes: ${nodes}` is a number.
    if ('value' in found && reference[0] === node.value && reference[1] !== undefined)
      return { ...node, value: found.value }
    if ('value' in found) result += node.value.slice(done, reference.index) + String(found.value)
    else isUnknown = true
    done = reference.index + reference[0].length
  }
  return isUnknown
    ? { ...node, value: null, unknown: true }
    : { ...node, value: result + node.value.slice(done) }
}

function lookUp(scope: Scope, reference: RegExpExecArray): Lookup {
  const name = reference[1]
  if (reference[0] === '$${') return { value: '${' }
  if (name === undefined) return { finding: malformed(reference[0], 'The closing bracket is missing.') }
  if (name.startsWith('env.')) return fromEnvironment(scope, name.slice(4))
  if (!new RegExp(NAME_PATTERN).test(name))
    return { finding: malformed(reference[0], 'This is no name of a variable.') }
  if (scope.declared === undefined) return { silent: true }
  if (!scope.declared.has(name)) {
    return {
      finding: {
        code: 'SX110',
        what: `The variable '${name}' is not set`,
        todo: didYouMean(name, scope.declared.keys(), `Declare it: \`${name}: VALUE\` under \`vars:\`.`),
      },
    }
  }
  const value = scope.declared.get(name)
  return value === undefined ? { silent: true } : { value }
}

function fromEnvironment(scope: Scope, name: string): Lookup {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return { finding: malformed(`\${env.${name}}`, 'This is no name of an environment variable.') }
  }
  const value = Object.hasOwn(scope.env, name) ? scope.env[name] : undefined
  if (value === undefined) {
    return {
      finding: {
        code: 'SX110',
        what: `The environment variable '${name}' is not set`,
        todo: `Set it before soxplan starts: export ${name}=VALUE`,
      },
    }
  }
  if (!looksSecret(name, value)) return { value }
  return {
    finding: {
      code: 'SX112',
      what: `The environment variable '${name}' looks like a secret`,
      why: 'A plan is shown, saved and handed to the nodes; no secret may get into it.',
      todo: 'Keep the secret in a file that only you can read, and name that file by path: `key:`, `profile:` or `config:`.',
    },
  }
}

function malformed(text: string, why: string): Finding {
  return {
    code: 'SX111',
    what: `'${text}' is not a reference`,
    why,
    todo: 'Write ${name} or ${env.NAME}; where the text itself is meant, write $${ for ${.',
  }
}

/** Where the reference itself stands, if the value is written as it reads; else the whole value. */
function placeOfReference(source: Source, node: ScalarNode, count: number, index: number): Place {
  const written = [...source.text.slice(node.place.start, node.place.end).matchAll(REFERENCE)]
  const match = written.length === count ? written[index] : undefined
  if (match === undefined) return node.place
  const start = node.place.start + match.index
  return { start, end: start + match[0].length }
}

function readDeclared(scope: Scope, root: MapNode): Map<string, Scalar | undefined> | undefined {
  const declared = new Map<string, Scalar | undefined>()
  const vars = root.entries.get('vars')
  for (const [name, text] of scope.vars) checkGiven(scope, vars, name, text)
  if (vars === undefined) return declared
  if (vars.node.kind !== 'map') return undefined
  for (const [name, { keyPlace, node }] of vars.node.entries) {
    const given = scope.vars.get(name)
    const own = node.kind === 'scalar' && node.unknown !== true ? expandDeclared(scope, node) : undefined
    declared.set(name, given === undefined ? own : convert(scope, keyPlace, name, given, own))
  }
  return declared
}

function expandDeclared(scope: Scope, node: ScalarNode): Scalar | undefined {
  for (const [, name] of typeof node.value === 'string' ? node.value.matchAll(REFERENCE) : []) {
    if (name === undefined || name.startsWith('env.')) continue
    scope.problems.push(
      errorAt(scope.source, node.place, {
        code: 'SX111',
        what: 'A variable refers to another variable',
        why: 'Under `vars:` only ${env.NAME} is put in.',
        todo: 'Write the value out, or put the two together where they are used: ${one}/${two}.',
      }),
    )
    return undefined
  }
  const { value, unknown } = expandScalar(scope, node)
  return unknown === true || value === null ? undefined : value
}

function checkGiven(
  scope: Scope,
  vars: { readonly node: WrittenNode } | undefined,
  name: string,
  text: string,
): void {
  const names = vars?.node.kind === 'map' ? [...vars.node.entries.keys()] : []
  if (names.includes(name)) return
  scope.problems.push({
    code: 'SX134',
    severity: 'error',
    what: `--var ${name}=${text} sets a variable that the plan does not have`,
    todo: didYouMean(name, names, `Declare it in the plan: \`${name}: VALUE\` under \`vars:\`.`),
  })
}

/** `--var` gives text; the type of the value in the plan says what it is meant to be. */
function convert(
  scope: Scope,
  place: Place,
  name: string,
  text: string,
  own: Scalar | undefined,
): Scalar | undefined {
  if (typeof own === 'number') {
    if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text)
  } else if (typeof own === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
  } else return text
  scope.problems.push(
    errorAt(scope.source, place, {
      code: 'SX134',
      what: `--var ${name}=${text} is not ${typeof own === 'number' ? 'a number' : 'true or false'}`,
      why: `In the plan '${name}' is ${String(own)}, and every use of it expects the same type.`,
      todo:
        typeof own === 'number'
          ? `Give a number: --var ${name}=${own}`
          : `Give --var ${name}=true or --var ${name}=false`,
    }),
  )
  return undefined
}
