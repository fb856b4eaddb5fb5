/** How a tool's list or a destination writes a path, known well enough that plain names need no call. */

import type { RecordView } from '../inventory/entry.ts'
import { Bug } from '../units.ts'

/**
 * Bytes from the bytes of a path. Printable ASCII has to stay as it is, as it does in every encoding of names that
 * the tools have; what is put before and behind the path must always be the same.
 */
export type PathCodec = (path: Uint8Array) => Uint8Array

export interface PathForm {
  readonly before: Uint8Array
  readonly after: Uint8Array
  /** For paths with any other byte; absent: all bytes stay as they are. */
  readonly codec?: PathCodec
  /** Written instead of any path: a single file gets a new name at the destination. */
  readonly fixed?: Uint8Array
}

const firstPlain = 0x20
const lastPlain = 0x7e
const letter = 0x61

/** `./PATH` and, for a list, the NUL behind it. */
export const rawForm: PathForm = { before: Buffer.from('./'), after: new Uint8Array(0) }
export const rawRecordForm: PathForm = { before: Buffer.from('./'), after: Buffer.from('\0') }

/**
 * Finds what `codec` puts around a path.
 * @throws Bug when it changes a plain name.
 */
export function formOf(codec: PathCodec): PathForm {
  const sample = codec(Uint8Array.of(letter))
  const at = sample.indexOf(letter)
  if (at < 0) throw new Bug('the codec does not keep plain names')
  return { before: sample.slice(0, at), after: sample.slice(at + 1), codec }
}

/** `./NAME` whatever the path is. */
export function fixedForm(name: Uint8Array): PathForm {
  return { ...rawForm, fixed: Buffer.concat([rawForm.before, name]) }
}

/** Writes the path of a record where there is room for it; -1 when it has a byte that needs the codec. */
export function writePlain(form: PathForm, view: RecordView, to: Buffer, at: number): number {
  if (form.fixed !== undefined) return -1
  const { before, after } = form
  const { buffer, pathStart, pathEnd } = view
  const isRaw = form.codec === undefined
  for (let next = 0; next < before.length; next++) to[at++] = before[next] ?? 0
  for (let next = pathStart; next < pathEnd; next++) {
    const byte = buffer[next] ?? 0
    if (!isRaw && (byte < firstPlain || byte > lastPlain)) return -1
    to[at++] = byte
  }
  for (let next = 0; next < after.length; next++) to[at++] = after[next] ?? 0
  return at
}

/** The same through the codec. */
export function encoded(form: PathForm, path: Uint8Array): Uint8Array {
  if (form.fixed !== undefined) return form.fixed
  return form.codec === undefined ? Buffer.concat([form.before, path, form.after]) : form.codec(path)
}
