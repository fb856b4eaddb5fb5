/** Commands that look for half files below a destination, here or on a server, and remove them. */

import type { Location } from '../plan/plan.ts'
import { leftoverPatterns, PARTIAL_FOLDER } from '../tools/leftovers.ts'
import { sshCommand, sshPath } from '../tools/ssh.ts'
import { quote } from './quote.ts'
import { onServer } from './server.ts'

/** Gets the root, a program for names, and reads the names, each with a NUL. */
const forEach = 'cd -- "$1" || exit 1; exec xargs -0 -r sh -c "$2" names'

const names = [
  ...leftoverPatterns.map((pattern) => `-name ${quote(pattern)}`),
  `-path ${quote(`*/${PARTIAL_FOLDER}/*`)}`,
]
const look = `exec find "$@" -maxdepth 1 -type f '(' ${names.join(' -o ')} ')' -printf '%s %C@ %p\\0'`
const remove = 'rm -f -- "$@"'
const removeFolders = 'rmdir --ignore-fail-on-non-empty -- "$@" 2>/dev/null; :'

type Program = 'look' | 'remove' | 'removeFolders'
const programs: Readonly<Record<Program, string>> = { look, remove, removeFolders }

/**
 * The call that reads names relative to the root of `place`: folders to `look` into (prints `SIZE CTIME PATH`, NUL),
 * files to `remove`, folders of half files to remove where they are empty. Undefined for places without a shell.
 */
export function leftoverCommand(
  place: Location,
  program: Program,
): readonly [program: string, ...words: string[]] | undefined {
  const words = (root: string): readonly string[] => ['sh', '-c', forEach, 'soxplan', root, programs[program]]
  if (place.kind === 'local') {
    const [first = 'sh', ...rest] = words(place.path)
    return [first, ...rest]
  }
  if (place.kind !== 'ssh') return undefined
  return [...sshCommand(place.server), onServer(words(sshPath(place)))]
}
