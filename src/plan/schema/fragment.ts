/** The pieces that the plan's JSON Schema is made of. `schemas/plan.schema.json` is written from them. */

/** One JSON Schema, 2020-12, as a plain value. */
export type Fragment = Readonly<Record<string, unknown>>

/** Names of transfers, endpoints and variables. Short and tame, because file names, job names and graph ids are made of them. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_-]{0,63}$'

/** Text for one line: a control character in it could only be a mistake or an attack on the terminal. */
export const ONE_LINE = '^[^\\u0000-\\u001f\\u007f]+$'

export function text(description: string, ...examples: readonly string[]): Fragment {
  return { description, type: 'string', pattern: ONE_LINE, maxLength: 4096, examples }
}

/** Paths and locations may hold anything a file name can, newlines too; what cannot be is refused by `location.ts`. */
export function path(description: string, ...examples: readonly string[]): Fragment {
  return { description, type: 'string', minLength: 1, maxLength: 4096, examples }
}

export function whole(description: string, minimum: number, maximum: number, example: number): Fragment {
  return { description, type: 'integer', minimum, maximum, examples: [example] }
}

export function flag(description: string, fallback: boolean): Fragment {
  return { description, type: 'boolean', default: fallback, examples: [!fallback] }
}

/** A choice between words. The first one is the default unless `fallback` says otherwise. */
export function choice(description: string, words: readonly string[], fallback?: string): Fragment {
  return { description, type: 'string', enum: words, default: fallback ?? words[0], examples: [words.at(-1)] }
}

export function list(description: string, items: Fragment, example: readonly unknown[]): Fragment {
  return { description, type: 'array', maxItems: 1000, items, examples: [example] }
}

/** A map with these keys and no other. */
export function block(
  description: string,
  properties: Readonly<Record<string, Fragment>>,
  example: Fragment,
  required: readonly string[] = [],
): Fragment {
  return {
    description,
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length === 0 ? {} : { required }),
    examples: [example],
  }
}

/** A map from names the user chooses to values of one form. */
export function named(description: string, values: Fragment, example: Fragment): Fragment {
  return {
    description,
    type: 'object',
    maxProperties: 1000,
    propertyNames: { type: 'string', pattern: NAME_PATTERN },
    additionalProperties: values,
    examples: [example],
  }
}
