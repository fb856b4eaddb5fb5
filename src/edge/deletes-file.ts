/** The list of what is to be deleted, as people read it. */

import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Result } from '../diagnostic.ts'
import { ok } from '../diagnostic.ts'
import { printable } from '../inventory/printable.ts'
import { openStateDir } from './run-folder.ts'

const BLOCK_CHARS = 256 * 1024

/** The names of a list, printable, a directory with a slash behind it. */
async function* namesIn(listPath: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(listPath, { encoding: 'latin1' }) as AsyncIterable<string>) {
    const records = (rest + chunk).split('\0')
    rest = records.pop() ?? ''
    for (const record of records) {
      const [, kind, file = ''] = /^(.) \S+ \S+ \.\/(.+)$/s.exec(record) ?? []
      yield printable(kind === 'd' ? `${file}/` : file)
    }
  }
}

/** The first names of a list. */
export async function readDeletes(listPath: string, most: number): Promise<readonly string[]> {
  const first: string[] = []
  for await (const name of namesIn(listPath)) {
    first.push(name)
    if (first.length === most) break
  }
  return first
}

/** Writes all names to `file` in the state folder, one a line. Fails SX602 when that can not be made. */
export async function writeDeletesFile(
  stateDir: string,
  file: string,
  listPath: string,
): Promise<Result<undefined>> {
  const opened = await openStateDir(stateDir)
  if (!opened.ok) return opened
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    let text = ''
    for await (const name of namesIn(listPath)) {
      text += `${name}\n`
      if (text.length < BLOCK_CHARS) continue
      await handle.appendFile(text)
      text = ''
    }
    await handle.appendFile(text)
    await rename(temporary, file)
  } finally {
    await handle.close()
    await rm(temporary, { force: true })
  }
  return ok(undefined)
}
