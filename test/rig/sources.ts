/** The project's own files, as the tests about its order see them. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'
import { PROJECT } from './project.ts'

export interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Import {
  /** As written: `./lab.ts`, `node:fs`, `yaml`. */
  readonly from: string
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean
}

const FOLDERS = ['src', 'test', 'scripts', 'bin', 'bench', 'docs', 'examples', 'plans', 'schemas', '.ci']
const TEXT = /\.(ts|js|json|sh|awk|md|yaml|yml|txt)$|^[^.]*$|^\.[a-z]+rc$/

/** Every text file that people wrote: the folders above and what stands beside package.json. */
export async function projectFiles(): Promise<readonly SourceFile[]> {
  const inFolders = await Promise.all(FOLDERS.map((folder) => filesBelow(folder)))
  const paths = [...(await filesIn('.')), ...inFolders.flat()]
  const wanted = paths.filter(
    (path) => path !== 'package-lock.json' && TEXT.test(path.split('/').at(-1) ?? ''),
  )
  return Promise.all(
    wanted.map(async (path) => ({ path, text: await readFile(join(PROJECT, path), 'utf8') })),
  )
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(PROJECT, folder), { recursive: true, withFileTypes: true }).catch(
    () => [],
  )
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length + 1))
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(PROJECT, folder), { withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

function parse({ path, text }: SourceFile): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

/** Every import of a file: `import`, `export … from`, `import()` and `import('…').Name`. */
export function importsOf(file: SourceFile): readonly Import[] {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    const name = importName(node)
    if (name !== undefined) found.push({ from: name, typeOnly: isTypeOnly(node) })
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}

function importName(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return textOf(node.arguments[0])
  }
  return undefined
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteral(node) ? node.text : undefined
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  if (!ts.isImportDeclaration(node)) return false
  const clause = node.importClause
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = clause.namedBindings
  return (
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.every((element) => element.isTypeOnly)
  )
}

/** A file that only passes on what others export, or that exports without a name. */
export function exportFaults(file: SourceFile): readonly string[] {
  const { statements } = parse(file)
  const faults: string[] = []
  if (
    statements.length > 0 &&
    statements.every((s) => ts.isExportDeclaration(s) && s.moduleSpecifier !== undefined)
  ) {
    faults.push('only passes on what other files export')
  }
  const unnamed = statements.some(
    (s) =>
      ts.isExportAssignment(s) ||
      (ts.canHaveModifiers(s) &&
        ts.getModifiers(s)?.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword) === true),
  )
  if (unnamed) faults.push('has a default export')
  return faults
}

/** The code without comments and without what stands in strings, for searches that must not find words. */
export function codeOf(file: SourceFile): string {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, file.text)
  const parts: string[] = []
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    parts.push(kind === ts.SyntaxKind.StringLiteral ? '""' : scanner.getTokenText())
  }
  return parts.join(' ')
}
