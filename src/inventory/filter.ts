/** Which entries of a source a plan means, by `include` and `exclude`. */

import { fail, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import { kindBytes, type RecordView } from './entry.ts'
import { compileGlob, type Glob } from './glob.ts'

/** Tells which entries are meant. Remembers directories, never files. */
export interface PathFilter {
  takes(view: RecordView): boolean
  /**
   * The entry would be taken whether it is a directory or not. What a filter leaves out is never deleted, and what stands
   * at the destination may be of another kind than what was left out at the source.
   */
  takesAnyKind(view: RecordView): boolean
}

/** What patterns say of a directory and with it of everything below: nothing, or one of the two. */
type Named = 'excluded' | 'included' | undefined

class GlobFilter implements PathFilter {
  private readonly ofDirectory = new Map<string, Named>()
  private lastPath = ''
  private lastNamed: Named
  private readonly include: readonly Glob[]
  private readonly exclude: readonly Glob[]

  constructor(include: readonly Glob[], exclude: readonly Glob[]) {
    this.include = include
    this.exclude = exclude
  }

  takes(view: RecordView): boolean {
    const path = view.buffer.toString('latin1', view.pathStart, view.pathEnd)
    const parent = path.slice(0, Math.max(0, view.nameStart - view.pathStart - 1))
    const isDirectory = view.kindByte === kindBytes.directory
    const named = isDirectory ? this.directory(path) : this.named(path, false, this.directory(parent))
    return this.isTaken(named)
  }

  takesAnyKind(view: RecordView): boolean {
    const path = view.buffer.toString('latin1', view.pathStart, view.pathEnd)
    const above = this.directory(path.slice(0, Math.max(0, view.nameStart - view.pathStart - 1)))
    return [true, false].every((isDirectory) => this.isTaken(this.named(path, isDirectory, above)))
  }

  private isTaken(named: Named): boolean {
    return named === 'included' || (named === undefined && this.include.length === 0)
  }

  private directory(path: string): Named {
    if (path === '') return undefined
    if (path === this.lastPath) return this.lastNamed
    let named = this.ofDirectory.get(path)
    if (named === undefined && !this.ofDirectory.has(path)) {
      const cut = path.lastIndexOf('/')
      named = this.named(path, true, this.directory(cut < 0 ? '' : path.slice(0, cut)))
      this.ofDirectory.set(path, named)
    }
    this.lastPath = path
    this.lastNamed = named
    return named
  }

  private named(path: string, isDirectory: boolean, above: Named): Named {
    if (above === 'excluded') return above
    const names = (glob: Glob): boolean => (isDirectory || !glob.directoriesOnly) && glob.matches.test(path)
    if (this.exclude.some(names)) return 'excluded'
    return above === 'included' || this.include.some(names) ? 'included' : undefined
  }
}

/**
 * A pattern *names* the entries whose path it matches, and with a directory everything below it (the patterns
 * themselves: `compileGlob`). What `exclude` names is left out, whatever `include` says. With `include`, only what
 * it names is taken; directories that only stand on the way are made as they are needed and are no entries.
 *
 * Undefined when there are no patterns. Fails SX210 for each pattern that can not be read.
 */
export function compileFilter(
  include: readonly string[],
  exclude: readonly string[],
): Result<PathFilter | undefined> {
  const broken: Diagnostic[] = []
  const compile = (field: string, patterns: readonly string[]): Glob[] => {
    const globs: Glob[] = []
    for (const pattern of patterns) {
      const glob = compileGlob(pattern)
      if (glob.ok) globs.push(glob.value)
      else
        broken.push({
          code: 'SX210',
          severity: 'error',
          what: `${field}: the pattern ${JSON.stringify(pattern)} can not be read: ${glob.error}`,
          todo: 'Put a backslash before a character that is meant as it is.',
        })
    }
    return globs
  }
  const included = compile('include', include)
  const excluded = compile('exclude', exclude)
  if (broken.length > 0) return fail(broken)
  return ok(included.length + excluded.length === 0 ? undefined : new GlobFilter(included, excluded))
}
