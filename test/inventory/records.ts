/** Records as find and the manifest have them, and what the scanner shows of them as plain values. */

import type { RecordView } from '../../src/inventory/entry.ts'
import { recordLength, writeRecord } from '../../src/inventory/manifest.ts'
import { createScanner, type ScanFault } from '../../src/inventory/scan.ts'

export interface Shown {
  readonly fate: string
  readonly kind: string
  readonly size: number
  readonly mtime: number | undefined
  readonly links: number
  readonly identity: string
  readonly path: string
  readonly name: string
  readonly target: string
}

/** All latin1 text, one character per byte. */
export function shown(view: RecordView): Shown {
  const text = (from: number, to: number): string => view.buffer.toString('latin1', from, to)
  return {
    fate: view.fateByte === 0 ? '' : String.fromCharCode(view.fateByte),
    kind: String.fromCharCode(view.kindByte),
    size: view.size,
    mtime: view.hasMtime ? view.mtimeSeconds : undefined,
    links: view.links,
    identity: text(view.identityStart, view.identityEnd),
    path: text(view.pathStart, view.pathEnd),
    name: text(view.nameStart, view.pathEnd),
    target: text(view.targetStart, view.targetEnd),
  }
}

/** What a manifest holds behind its head when these are the records of the listing, each with its fate in front. */
export function manifestRecords(records: readonly string[]): Buffer {
  const written = records.map((text) => {
    let record = Buffer.alloc(0)
    const scanner = createScanner('listing', (view) => {
      record = Buffer.alloc(recordLength(view))
      writeRecord(view, text.charCodeAt(0), record, 0)
    })
    const fault = scanner.push(Buffer.from(text.slice(1), 'latin1')) ?? scanner.end()
    if (fault !== undefined) throw new Error(`the test's own record is ${fault.reason}: ${text}`)
    return record
  })
  return Buffer.concat(written)
}

export function scanAll(
  form: 'listing' | 'manifest',
  chunks: readonly Buffer[],
): { readonly records: readonly Shown[]; readonly fault: ScanFault | undefined } {
  const records: Shown[] = []
  const scanner = createScanner(form, (view) => records.push(shown(view)))
  for (const chunk of chunks) scanner.push(chunk)
  return { records, fault: scanner.end() }
}

/** The one record of a listing of one, as a view. */
export function viewOf(record: {
  readonly kind?: string
  readonly size?: number
  readonly mtime?: string
  readonly links?: number
  /** Latin1. */
  readonly path: string
  readonly target?: string
}): RecordView {
  const { kind = 'f', size = 0, mtime = '1700000000.0000000000', links = 1, path, target = '' } = record
  const text = `${kind} ${size} ${mtime} 1 2 ${links} 644 0 0 ${path}\0${target}\0`
  let only: RecordView | undefined
  createScanner('listing', (view) => {
    only = view
  }).push(Buffer.from(text, 'latin1'))
  if (only === undefined) throw new Error(`no record: ${text}`)
  return only
}
