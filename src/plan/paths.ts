/** Paths as text. Nothing here looks at a disk. */

/** `~` and `~/x` in the home folder, relative paths in `folder`, the rest as it is; then without `//`, `.`, `..` and a closing slash. */
export function absolutePath(written: string, folder: string, home: string): string {
  if (written === '~' || written.startsWith('~/')) return cleanPath(`${home}/${written.slice(2)}`)
  return cleanPath(written.startsWith('/') ? written : `${folder}/${written}`)
}

/** An absolute path with `//`, `.` and `..` resolved by the letter. */
export function cleanPath(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** The names on the way, without empty ones and `.`. */
export function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.')
}

/** True for the folder itself and for what is in it. Both are absolute and without a closing slash (but `/` itself). */
export function liesIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

/** How two places of the same file system or remote lie to each other, by their names alone. */
export function relation(a: readonly string[], b: readonly string[]): 'same' | 'inside' | 'around' | 'apart' {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) if (a[i] !== b[i]) return 'apart'
  if (a.length === b.length) return 'same'
  return a.length > b.length ? 'inside' : 'around'
}
