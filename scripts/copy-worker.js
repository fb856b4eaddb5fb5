/** Copies what the compiler leaves behind: the worker's shell parts and the schemas, each to where dist looks for it. */

import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const sources = join(project, 'src')

for (const entry of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
  if (/\.(sh|awk|json)$/.test(entry)) cpSync(join(sources, entry), join(project, 'dist', entry))
}
