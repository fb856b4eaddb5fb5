/** What a user reads: the exact text of every diagnostic of a plan, how it is drawn, and the page that lists the codes. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../src/diagnostic.ts'
import { renderCount, renderDiagnostics } from '../src/diagnostic-render.ts'
import { seen } from './plan/fixtures.ts'
import { PROJECT } from './rig/project.ts'

const GOLDEN = join(import.meta.dirname, 'plan', 'diagnostics')

interface Case {
  readonly name: string
  readonly plan: string
  readonly expected: string
  readonly vars: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
}

/** `=== name (--var a=b, C=d)`, the plan, `>>>`, and what a user reads. */
function casesIn(text: string): readonly Case[] {
  return text
    .split(/^=== /m)
    .slice(1)
    .map((block) => {
      const [, name = '', given = '', plan = '', expected = ''] =
        /^(.*?)(?: \(((?:--var )?\w+=.*)\))?\n(.*?)>>>\n(.*)$/s.exec(block) ?? []
      const pairs = given.split(', ').filter((pair) => pair !== '')
      const split = (chosen: readonly string[]): Record<string, string> =>
        Object.fromEntries(chosen.map((pair) => pair.replace('--var ', '').split('=')) as [string, string][])
      return {
        name,
        plan,
        expected: `${expected.trimEnd()}\n`,
        vars: split(pairs.filter((pair) => pair.startsWith('--var '))),
        env: split(pairs.filter((pair) => !pair.startsWith('--var '))),
      }
    })
}

const goldenFiles = (await readdir(GOLDEN)).sort()
const golden = await Promise.all(
  goldenFiles.map(async (file) => [file, casesIn(await readFile(join(GOLDEN, file), 'utf8'))] as const),
)

describe.each(golden)('%s', (_, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, { plan, expected, vars, env }) => {
    expect(seen(plan, { vars, env })).toBe(expected)
  })
})

function at(text: string, mark: string, extra: Partial<Diagnostic> = {}): Diagnostic {
  const start = text.indexOf(mark)
  return {
    code: 'SX104',
    severity: 'error',
    what: 'Shard count is not a number',
    todo: 'Write a whole number from 1 to 1024, such as 16.',
    at: { file: '/p/plan.yaml', text, start, end: start + mark.length },
    ...extra,
  }
}

/** The line and the caret line. */
function drawn(text: string, mark: string): readonly string[] {
  return renderDiagnostics([at(text, mark)])
    .split('\n')
    .slice(2, 4)
}

describe('drawing', () => {
  test('the form that the design shows', () => {
    const text = 'a: 1\nb:\n  - shards: many\n'
    expect(renderDiagnostics([at(text, 'many')], { folder: '/p' })).toBe(
      'error SX104: Shard count is not a number\n' +
        '  plan.yaml:3:13\n' +
        '  |   - shards: many\n' +
        '  |             ^^^^\n' +
        '  Write a whole number from 1 to 1024, such as 16.\n',
    )
  })

  test('a diagnostic without a place, with a reason, with a next step of two lines', () => {
    const diagnostic = {
      code: 'SX301',
      severity: 'warning',
      what: 'What',
      why: 'Why.',
      todo: 'Do\n  this',
    } as const
    expect(renderDiagnostics([diagnostic, diagnostic])).toBe(
      'warning SX301: What\n  Why.\n  Do\n    this\n\nwarning SX301: What\n  Why.\n  Do\n    this\n',
    )
  })

  test('tabs and wide characters are aligned', () => {
    expect(drawn('\ta:\tb: x', 'x')).toEqual(['  |     a:  b: x', '  |            ^'])
    expect(drawn('日本: 値x', '値x')).toEqual(['  | 日本: 値x', '  |       ^^^'])
    expect(drawn('👩‍💻é: x', 'x')).toEqual(['  | 👩‍💻é: x', '  |      ^'])
  })

  test('of a range over several lines the first is shown, without a carriage return', () => {
    expect(drawn('a: [1,\r\n  2]\r\n', '[1,\r\n  2]')).toEqual(['  | a: [1,', '  |    ^^^'])
  })

  test('a very long line shows what is around the caret', () => {
    const [line = '', caret = ''] = drawn(`${'a'.repeat(5000)}X${'b'.repeat(1_000_000)}`, 'X')
    expect(line).toBe(`  | …${'a'.repeat(40)}X${'b'.repeat(59)}…`)
    expect(caret.indexOf('^')).toBe(line.indexOf('X'))
    const [long = '', carets = ''] = drawn(`key: ${'v'.repeat(300)}`, 'v'.repeat(300))
    expect(long).toBe(`  | key: ${'v'.repeat(95)}…`)
    expect(carets).toBe(`  |      ${'^'.repeat(95)}`)
  })

  test('nothing in it can steer a terminal', () => {
    const text = 'a: \u001b[31m\u202ex\u0007\n'
    const shown = renderDiagnostics([at(text, 'x', { what: '\u001b]0;x\u0007', todo: 'a\rb' })])
    expect(shown).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  })

  test('colour only when it is asked for', () => {
    const text = 'a: x\n'
    expect(renderDiagnostics([at(text, 'x')])).not.toContain('\u001b')
    expect(renderDiagnostics([at(text, 'x')], { colour: true })).toContain('\u001b[31merror SX104:\u001b[0m')
    expect(renderDiagnostics([at(text, 'x', { severity: 'warning' })], { colour: true })).toContain(
      '\u001b[33m',
    )
  })

  test('a file elsewhere keeps its whole name', () => {
    expect(renderDiagnostics([at('x', 'x')], { folder: '/p/q' })).toContain('  /p/plan.yaml:1:1\n')
  })

  test('the closing count', () => {
    const error = at('x', 'x')
    const warning = at('x', 'x', { severity: 'warning' })
    expect(renderCount([error, error, warning], 'plan.yaml')).toBe('2 errors, 1 warning in plan.yaml.\n')
    expect(renderCount([error], 'plan.yaml')).toBe('1 error in plan.yaml.\n')
    expect(renderCount([warning, warning], 'plan.yaml')).toBe('2 warnings in plan.yaml.\n')
    expect(renderCount([], 'plan.yaml')).toBe('')
  })
})

describe('docs/errors.md', () => {
  async function codesInSource(): Promise<ReadonlySet<string>> {
    const files = (await readdir(join(PROJECT, 'src'), { recursive: true })).filter((file) =>
      file.endsWith('.ts'),
    )
    const texts = await Promise.all(files.map((file) => readFile(join(PROJECT, 'src', file), 'utf8')))
    return new Set(texts.flatMap((text) => text.match(/\bSX1\d\d\b/g) ?? []))
  }

  test('has one entry for every code of a plan, and no other', async () => {
    const page = await readFile(join(PROJECT, 'docs', 'errors.md'), 'utf8')
    const entries = [...page.matchAll(/^\| (SX1\d\d) \|/gm)].map(([, code]) => code).sort()
    expect(entries).toEqual([...(await codesInSource())].sort())
  })

  test('and every code of a plan text has its exact text here', async () => {
    const shown = new Set(
      golden.flatMap(([, cases]) => cases.flatMap(({ expected }) => expected.match(/SX\d+/g) ?? [])),
    )
    // Of the file itself, and of what turns up once the places are looked at.
    const notOfTheText = /^SX(14\d|16[56])$/
    const missing = [...(await codesInSource())].filter(
      (code) => !shown.has(code) && !notOfTheText.test(code),
    )
    expect(missing).toEqual([])
  })
})
