/** What a survey counts and names on the way: bounded, whatever the source holds. */

import type { DirectoryTree } from './tree.ts'
import { kindBytes, type Fate, type RecordView } from './entry.ts'
import { reasonTexts, type Verdict } from './fates.ts'

/** Names kept per list; all are counted. */
const NAMES_KEPT = 100

export interface Tally {
  files: number
  directories: number
  symlinks: number
  specials: number
  /** Of the regular files. */
  bytes: number
}

/** Entries with a reason: how many, and the first of them. `path` is latin1 text, one character per raw byte. */
export interface Named {
  readonly count: number
  readonly named: readonly { readonly path: string; readonly reason: string }[]
}

/** A file and its size. `path` is latin1 text, one character per raw byte. */
export interface SizedPath {
  readonly path: string
  readonly sizeBytes: number
}

export interface Summary {
  readonly entries: number
  readonly tallies: Readonly<Record<Fate, Readonly<Tally>>>
  /** Directories that a remote does not hold are tallied as skipped but not named here; `emptyDirectories` does. */
  readonly skipped: Named
  readonly refused: Named
  /** Entries whose names are not valid UTF-8, whatever their fate: rclone can not carry them. */
  readonly notUtf8: Named
  /** Of the changed: files that have their size there already, so that only the time tells them from equal ones. */
  readonly timeOnly: Readonly<Pick<Tally, 'files' | 'bytes'>>
  readonly largest?: SizedPath
  /** One entry to show where things land: a file if there is any. Latin1 path. */
  readonly sample?: string
}

export interface SummaryBuilder {
  add(view: RecordView, verdict: Verdict, isUtf8: boolean): void
  finish(): Summary
}

class NameList implements Named {
  count = 0
  readonly named: { path: string; reason: string }[] = []

  add(view: RecordView, reason: string): void {
    this.count++
    if (this.named.length < NAMES_KEPT) this.named.push({ path: pathText(view), reason })
  }
}

/** The path as latin1 text, one character per raw byte. */
export function pathText(view: RecordView): string {
  return view.buffer.toString('latin1', view.pathStart, view.pathEnd)
}

function emptyTally(): Tally {
  return { files: 0, directories: 0, symlinks: 0, specials: 0, bytes: 0 }
}

export function createSummary(): SummaryBuilder {
  const tallies: Record<Fate, Tally> = {
    new: emptyTally(),
    changed: emptyTally(),
    check: emptyTally(),
    attributes: emptyTally(),
    same: emptyTally(),
    skipped: emptyTally(),
    refused: emptyTally(),
  }
  const skipped = new NameList()
  const refused = new NameList()
  const notUtf8 = new NameList()
  const timeOnly = { files: 0, bytes: 0 }
  let entries = 0
  let largest: SizedPath | undefined
  let sample: { readonly path: string; readonly isFile: boolean } | undefined

  const tallyFile = (view: RecordView, tally: Tally): void => {
    tally.files++
    tally.bytes += view.size
    if (largest === undefined || view.size > largest.sizeBytes)
      largest = { path: pathText(view), sizeBytes: view.size }
    if (sample?.isFile !== true) sample = { path: pathText(view), isFile: true }
  }
  return {
    add(view, verdict, isUtf8) {
      entries++
      const tally = tallies[verdict.fate]
      if (view.kindByte === kindBytes.file) tallyFile(view, tally)
      else if (view.kindByte === kindBytes.directory) tally.directories++
      else if (view.kindByte === kindBytes.symlink) tally.symlinks++
      else tally.specials++
      sample ??= { path: pathText(view), isFile: false }
      if (!isUtf8) notUtf8.add(view, reasonTexts['not-representable'])
      if (verdict.reason === undefined || verdict.reason === 'directory-on-remote') return
      if (verdict.reason === 'time-only') {
        timeOnly.files++
        timeOnly.bytes += view.size
        return
      }
      ;(verdict.fate === 'skipped' ? skipped : refused).add(view, reasonTexts[verdict.reason])
    },
    finish() {
      return {
        entries,
        tallies,
        skipped,
        refused,
        notUtf8,
        timeOnly,
        ...(largest === undefined ? {} : { largest }),
        ...(sample === undefined ? {} : { sample: sample.path }),
      }
    },
  }
}

/** The directories that nothing stands in: a remote does not hold them. */
export function emptyDirectories(tree: DirectoryTree): Named {
  const named: { path: string; reason: string }[] = []
  let count = 0
  for (let row = 1; row < tree.count; row++) {
    if (tree.isOccupied(row)) continue
    count++
    if (named.length < NAMES_KEPT)
      named.push({ path: tree.path(row), reason: reasonTexts['directory-on-remote'] })
  }
  return { count, named }
}
