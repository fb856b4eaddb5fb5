/** Commands that run on a server over SSH. A login shell reads them, so that every word of them is quoted. */

import { quote } from './quote.ts'

/** The first line of an answer: what stands before it is somebody's greeting, and would stand in every listing too. */
export const serverGreeting = 'soxplan-server 1'

const question = `printf '%s\\n' "$1"
printf 'bash %s\\n' "$(bash -c 'printf %s "$BASH_VERSION"' 2>/dev/null)"
printf 'find %s\\n' "$(find --version 2>/dev/null | head -n 1)"
printf 'rsync %s\\n' "$(rsync --version 2>/dev/null | head -n 1)"
if [ -d "$2" ]; then
  if [ ! -r "$2" ] || [ ! -x "$2" ]; then echo 'is a closed directory'
  elif [ "$(ls -A "$2" | head -c 1 | wc -c)" -gt 0 ]; then echo 'is a directory'
  else echo 'is an empty directory'; fi
elif [ -f "$2" ]; then
  if [ -r "$2" ]; then echo 'is a file'; else echo 'is a closed file'; fi
elif [ -e "$2" ]; then echo 'is something else'
elif [ -L "$2" ]; then echo 'is a dangling link'
else echo 'is absent'; fi`

/** Asks which programs are there, and what stands at a path. */
export function serverQuestion(path: string): string {
  return onServer(['sh', '-c', question, 'soxplan', serverGreeting, path])
}

/** One program with its arguments, in English and UTC, in the place of the login shell. */
export function onServer(words: readonly string[]): string {
  return `exec env LC_ALL=C TZ=UTC ${words.map(quote).join(' ')}`
}
