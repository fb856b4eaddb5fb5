/** Reads the text of a plan, with a diagnostic for everything that can stand in its place. */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

import { failWith, ok, type Result } from '../diagnostic.ts'
import { isErrno, isSystemError, systemReason } from './files.ts'

/** The YAML parser needs about 2 s for it; a plan of a thousand transfers has a third of that. */
export const MAX_PLAN_BYTES = 2 ** 20

/** The text of a plan file, a byte order mark taken off. `file` is absolute. */
export async function readPlanText(file: string): Promise<Result<string>> {
  try {
    // Without O_NONBLOCK opening a pipe would wait for its other end.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = await handle.stat()
    if (!status.isFile()) {
      const what = status.isDirectory() ? 'The plan is a folder' : 'The plan is not a regular file'
      return failWith('SX142', `${what}: ${file}`, 'Name the plan file itself, such as plan.yaml.')
    }
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MAX_PLAN_BYTES + 1))
    if (bytesRead > MAX_PLAN_BYTES) return tooLarge(file)
    return decode(file, buffer.subarray(0, bytesRead))
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      return failWith(
        'SX141',
        `There is no plan file ${file}`,
        'Check the name, or write a first plan: soxplan init',
      )
    }
    return failWith(
      'SX143',
      `The plan file cannot be read: ${file}`,
      'Check who may read the file and the folders above it: namei -l FILE shows that.',
      systemReason(error),
    )
  }
}

function tooLarge(file: string): Result<string> {
  return failWith(
    'SX144',
    `The plan is larger than ${MAX_PLAN_BYTES / 2 ** 20} MiB: ${file}`,
    'Name folders or patterns instead of single files; soxplan lists what is in them.',
  )
}

function decode(file: string, bytes: Uint8Array): Result<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    return ok(decoder.decode(bytes))
  } catch {
    return failWith(
      'SX145',
      `The plan is not UTF-8 text: ${file}`,
      'Save it as UTF-8; iconv converts it. A path that is no UTF-8 cannot be written in a plan: name the folder above it.',
      `The first byte that is not UTF-8 stands on line ${brokenLine(bytes)}.`,
    )
  }
}

/** 1-based. A line feed is never part of a longer character, so lines can be tried one by one. */
function brokenLine(bytes: Uint8Array): number {
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start)
    const end = newline === -1 ? bytes.length : newline + 1
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end))
    } catch {
      return line
    }
    start = end
  }
  return line
}
