/** Text → YAML document, or what is wrong with the file as a whole. */

import { isMap, parseDocument, type Document, type YAMLError, type YAMLMap } from 'yaml'

import { fail, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import { errorAt, type Place, type Source } from './source.ts'

export interface ParsedPlan {
  readonly document: Document
  readonly root: YAMLMap
}

/**
 * Brackets deeper than this end the YAML parser's own recursion with a stack overflow. Counted on the text, because
 * it must be known before the parser sees it; brackets inside quotes count too, and no plan comes near.
 */
const MAX_OPEN_BRACKETS = 200

/** Parses the text. Duplicate keys and aliases are left to `tree.ts`, which knows both places of them. */
export function parseText(source: Source): Result<ParsedPlan> {
  const tooDeep = deepBracket(source.text)
  if (tooDeep !== undefined) {
    return failAt(
      source,
      { start: tooDeep, end: tooDeep + 1 },
      {
        code: 'SX108',
        what: 'The plan is nested too deep',
        why: `More than ${MAX_OPEN_BRACKETS} brackets are open here.`,
        todo: 'Remove the brackets that are not needed; no field of a plan lies deeper than five levels.',
      },
    )
  }
  const document = parseDocument(source.text, {
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    resolveKnownTags: false,
  })
  const [problem] = [...document.errors].sort((a, b) => a.pos[0] - b.pos[0])
  if (problem !== undefined) return fail([syntaxError(source, problem)])
  return rootOf(source, document)
}

function rootOf(source: Source, document: Document): Result<ParsedPlan> {
  const root = document.contents
  if (isMap(root)) return ok({ document, root })
  const todo =
    'Write `version: 1` and `transfers:` with a first transfer; `soxplan init` writes a plan to start from.'
  if (root === null || source.text.slice(root.range?.[0], root.range?.[1]).trim() === '') {
    return failAt(source, { start: 0, end: 0 }, { code: 'SX101', what: 'The plan is empty', todo })
  }
  const [start, end] = root.range ?? [0, 0]
  return failAt(
    source,
    { start, end },
    {
      code: 'SX109',
      what: 'This is not a plan',
      why: 'A plan is a YAML map: lines of the form `key: value`.',
      todo,
    },
  )
}

function syntaxError(source: Source, problem: YAMLError): Diagnostic {
  const place = placeOf(source, problem)
  if (problem.code === 'MULTIPLE_DOCS') {
    return errorAt(source, place, {
      code: 'SX103',
      what: 'The file holds more than one YAML document',
      why: 'A second document starts here; which of them is the plan is not for soxplan to guess.',
      todo: 'Keep one plan per file: remove the line `---`, or move what follows it into a file of its own.',
    })
  }
  return errorAt(source, place, {
    code: 'SX102',
    what: 'The file is not valid YAML',
    why: `The YAML parser says: ${problem.message.replace(/\.?$/, '.')}`,
    todo:
      problem.code === 'TAB_AS_INDENT'
        ? 'Indent with spaces.'
        : 'Correct this line. Text that holds `: `, ` #`, quotes, brackets or a leading `*`, `&`, `!`, `%`, `@` goes in quotes.',
  })
}

/** Where the parser stumbled; at the end of the file the last thing that was written, because there the mistake is. */
function placeOf({ text }: Source, { pos: [start, end] }: YAMLError): Place {
  if (text.slice(start).trim() !== '') return { start, end: Math.max(end, start + 1) }
  const last = text.trimEnd().length
  return { start: Math.max(0, last - 1), end: last }
}

function failAt(source: Source, place: Place, finding: Parameters<typeof errorAt>[2]) {
  return fail([errorAt(source, place, finding)])
}

function deepBracket(text: string): number | undefined {
  let open = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '[' || char === '{') open++
    else if ((char === ']' || char === '}') && open > 0) open--
    if (open > MAX_OPEN_BRACKETS) return at
  }
  return undefined
}
