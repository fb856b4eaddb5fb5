/** After the compiler: copies the worker's shell parts beside the code that reads them, and removes what has no source. */

import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const source = join(project, 'src')
const built = join(project, 'dist')

/** The compiler passes these by. */
const COPIED = /\.(sh|awk|json)$/

for (const path of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
  if (COPIED.test(path)) cpSync(join(source, path), join(built, path))
}
// A module that was renamed would otherwise stay in the published package under its old name.
for (const path of readdirSync(built, { recursive: true, encoding: 'utf8' })) {
  const origin = path.replace(/\.js$/, '.ts')
  if (/\.(js|sh|awk|json)$/.test(path) && !existsSync(join(source, origin))) rmSync(join(built, path))
}
