import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROJECT } from './rig/project.ts'
import { codeOf, exportFaults, importsOf, projectFiles, type SourceFile } from './rig/sources.ts'

const MIDDLE = ['plan', 'inventory', 'shard', 'tools', 'graph', 'script', 'run']

interface Rights {
  /** What it may import, beside itself, units and diagnostic. */
  readonly units: readonly string[]
  readonly packages?: readonly string[]
  /** May it reach the outside world through node: modules? */
  readonly node?: true
}

/** The table of docs/architecture.md. */
const RIGHTS: Readonly<Record<string, Rights>> = {
  units: { units: [] },
  diagnostic: { units: [] },
  plan: { units: [], packages: ['yaml', 'ajv'] },
  inventory: { units: ['plan'] },
  shard: { units: ['plan', 'inventory'] },
  tools: { units: ['plan', 'inventory', 'shard'] },
  graph: { units: ['plan', 'shard', 'tools'], packages: ['@dagrejs/graphlib'] },
  script: { units: ['graph', 'tools'] },
  run: { units: ['graph'] },
  edge: { units: MIDDLE, packages: ['execa'], node: true },
  executor: { units: [...MIDDLE, 'edge'], node: true },
  view: { units: ['graph', 'run'] },
  commands: { units: [...MIDDLE, 'edge', 'executor', 'view'], packages: ['commander'], node: true },
  cli: { units: [...MIDDLE, 'edge', 'executor', 'view', 'commands'], node: true },
}

const PURE = ['units', 'diagnostic', 'view', ...MIDDLE]
const COMMON = ['units', 'diagnostic']

const files = await projectFiles()
const sources = files.filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'))
const code = files.filter(({ path }) => /\.(ts|js|sh|awk)$/.test(path))
const pages = files.filter(({ path }) => path.endsWith('.md'))

/** `src/plan/parse.ts` is of `plan`, `src/diagnostic-render.ts` of `diagnostic`. */
function unitOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '').replace(/^diagnostic-.*/, 'diagnostic')
}

/** Everything that `unit` may import, and what those may: a type of theirs is part of what it is given. */
function reachable(unit: string): ReadonlySet<string> {
  const found = new Set<string>(COMMON)
  const add = (name: string): void => {
    found.add(name)
    for (const next of RIGHTS[name]?.units ?? []) if (!found.has(next)) add(next)
  }
  add(unit)
  return found
}

function importFaults(file: SourceFile): readonly string[] {
  const unit = unitOf(file.path)
  const rights = RIGHTS[unit]
  if (rights === undefined) return [`${file.path}: ${unit} has no line in the table`]
  return importsOf(file).flatMap(({ from, typeOnly }): string[] => {
    const fault = [`${file.path} imports ${from}`]
    if (from.startsWith('node:')) return rights.node === true ? [] : fault
    if (!from.startsWith('.')) {
      const known = (rights.packages ?? []).some((name) => from === name || from.startsWith(`${name}/`))
      return known ? [] : fault
    }
    const target = unitOf(normalize(join(dirname(file.path), from)))
    const allowed = typeOnly ? reachable(unit) : new Set([unit, ...COMMON, ...rights.units])
    return allowed.has(target) ? [] : fault
  })
}

/** `path:line: text` of every line that matches. */
function linesWith(pattern: RegExp, among: readonly SourceFile[]): readonly string[] {
  return among.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 100)}`] : [])),
  )
}

/** Written in two halves, so that this file does not hold what it looks for. */
function word(...halves: readonly string[]): string {
  return halves.join('')
}

describe('import rights', () => {
  test.each(Object.keys(RIGHTS))('%s imports only what its line in the table allows', (unit) => {
    expect(sources.filter(({ path }) => unitOf(path) === unit).flatMap(importFaults)).toEqual([])
  })

  test('every file of src belongs to a line of the table', () => {
    expect(sources.map(({ path }) => path).filter((path) => RIGHTS[unitOf(path)] === undefined)).toEqual([])
  })

  test.each(PURE)('%s reaches no clock, no chance, no environment', (unit) => {
    const outside =
      /\bDate \. now\b|\bnew Date \( \)|\bMath \. random\b|\bperformance \.|\bprocess \.|\bsetTimeout\b|\bfetch \(/
    const found = sources.filter((file) => unitOf(file.path) === unit && outside.test(codeOf(file)))
    expect(found.map(({ path }) => path)).toEqual([])
  })

  test('no program is started through a shell', () => {
    const through = /shell : true|\bexecSync\b|\bexecCommand\b/
    expect(sources.filter((file) => through.test(codeOf(file))).map(({ path }) => path)).toEqual([])
  })

  test.each([
    ['src/plan/a.ts', `import { readFile } from 'node:fs'`, 'node:fs'],
    ['src/plan/a.ts', `const fs = await import('node:fs')`, 'node:fs'],
    ['src/shard/a.ts', `import { parse } from 'yaml'`, 'yaml'],
    ['src/graph/a.ts', `export { run } from '../edge/process.ts'`, '../edge/process.ts'],
    ['src/run/a.ts', `import { toolOf, type Tool } from '../tools/tools.ts'`, '../tools/tools.ts'],
    ['src/view/a.ts', `let x: import('../executor/drive.ts').Driver`, '../executor/drive.ts'],
  ])('%s is told off for: %s', (path, text, from) => {
    expect(importFaults({ path, text })).toEqual([`${path} imports ${from}`])
  })

  test('a type may come from as far as what is imported reaches', () => {
    const text = `import type { Transfer } from '../plan/plan.ts'`
    expect(importFaults({ path: 'src/run/a.ts', text })).toEqual([])
  })
})

describe('shape of files', () => {
  test('no file of code has more than 300 lines', () => {
    const long = code.filter(({ text }) => text.trimEnd().split('\n').length > 300)
    expect(long.map(({ path }) => path)).toEqual([])
  })

  test('no file is a drawer for everything', () => {
    const drawer = /(^|\/)(utils?|helpers?|misc|common|shared|types|index|constants)(\.[a-z]+)?(\/|$)/
    expect(code.map(({ path }) => path).filter((path) => drawer.test(path))).toEqual([])
  })

  test('every export has a name and a file of its own', () => {
    const faults = code
      .filter(({ path }) => path.endsWith('.ts') && !path.endsWith('.config.ts'))
      .flatMap((file) => exportFaults(file).map((fault) => `${file.path} ${fault}`))
    expect(faults).toEqual([])
  })

  test('every file of src says first what it is for', () => {
    const silent = sources.filter(({ path, text }) => path !== 'src/cli.ts' && !/^\/\*\*\s/.test(text))
    expect(silent.map(({ path }) => path)).toEqual([])
  })
})

describe('nothing is left lying about', () => {
  test('no markers for later', () => {
    expect(
      linesWith(new RegExp(`\\b(${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('X', 'XX')})\\b`), files),
    ).toEqual([])
  })

  test('no check is switched off', () => {
    const off = [
      word('eslint', '-disable'),
      word('@ts', '-ignore'),
      word('@ts', '-nocheck'),
      word('@ts', '-expect-error'),
    ]
    expect(linesWith(new RegExp(off.join('|')), code)).toEqual([])
  })

  test('no test is skipped, alone or mocked', () => {
    const tests = files.filter(({ path }) => path.endsWith('.test.ts'))
    const switched = new RegExp(`\\b(test|describe|it)\\.(skip|only|todo|fails)\\b|${word('vi', '.mock')}\\(`)
    expect(linesWith(switched, tests)).toEqual([])
  })

  test('no path of the machine it was written on', () => {
    const folders = [word('/wo', 'rk/'), word('/ro', 'ot/')]
    expect(linesWith(new RegExp(`(^|[\\s"'\`(=:])(${folders.join('|')})`), files)).toEqual([])
  })

  test('no registry is named', () => {
    expect(linesWith(new RegExp(word('regi', 'stry\\.npm')), files)).toEqual([])
  })
})

describe('pages', () => {
  test('every relative link leads somewhere', () => {
    expect(pages.flatMap(deadLinks)).toEqual([])
  })
})

/** Links outside of code, to files that are not there or to headings that no page has. */
function deadLinks({ path, text }: SourceFile): readonly string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']): string[] => {
    if (/^[a-z]+:/.test(link)) return []
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : normalize(join(dirname(path), file))
    if (!existsSync(join(PROJECT, target))) return [`${path}: ${link}`]
    if (anchor === undefined || !target.endsWith('.md')) return []
    const page = pages.find((candidate) => candidate.path === target)
    return page !== undefined && headings(page.text).includes(anchor) ? [] : [`${path}: ${link}`]
  })
}

/** The anchors that a page's headings get where Markdown is shown. */
function headings(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
