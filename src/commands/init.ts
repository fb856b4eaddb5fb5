/** `soxplan init [FILE]`: a commented first plan. Asks nothing, overwrites nothing. */

import { open, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { failWith, ok, type Result } from '../diagnostic.ts'
import { harmless } from '../diagnostic-render.ts'
import { isErrno, isSystemError, systemReason } from '../edge/files.ts'
import { ExitCode } from './exit-code.ts'
import { firstPlan } from './first-plan.ts'
import type { TextIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'

/** Exit code 0, or 2 when the file is there already or cannot be written. */
export async function initPlan(file: string, io: TextIo): Promise<number> {
  const written = await writeNew(path.resolve(io.cwd, file), firstPlan(schemaAddress()))
  if (!written.ok) {
    printDiagnostics(written.error, file, io)
    return ExitCode.usage
  }
  // Shell quoting is not for this place to invent: a name that would need it is left for the reader to put in.
  const name = /^[\w./+@%,=:-]+$/.test(file) && !file.startsWith('-') ? file : 'PLAN'
  io.stdout(`Wrote ${harmless(file)}. Change \`from\` and \`to\` in it, then look at what would happen:
  soxplan validate ${name}
  soxplan plan ${name}
`)
  return ExitCode.ok
}

/** Where an editor finds the schema: it lies in the package, beside `src/` and `dist/`. */
function schemaAddress(): string {
  const file = fileURLToPath(new URL('../../schemas/plan.schema.json', import.meta.url))
  return /^[\w./+@-]+$/.test(file) ? file : pathToFileURL(file).href
}

async function writeNew(file: string, text: string): Promise<Result<undefined>> {
  let isOurs = false
  try {
    await using handle = await open(file, 'wx')
    isOurs = true
    await handle.writeFile(text)
    return ok(undefined)
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (isOurs) await rm(file, { force: true })
    if (isErrno(error, 'EEXIST')) {
      return failWith(
        'SX146',
        `There is something at ${file} already, and it was left as it is`,
        'Give another name: soxplan init NAME.yaml',
      )
    }
    return failWith(
      'SX147',
      `The plan cannot be written: ${file}`,
      'Choose a folder that exists and that you may write to: soxplan init FOLDER/plan.yaml',
      systemReason(error),
    )
  }
}
