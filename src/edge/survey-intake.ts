/** Takes records in: filter, name, destination, fate, and then manifest, tree and counts. One pass, nothing kept. */

import { setImmediate } from 'node:timers/promises'
import { failWith, ok, type Result } from '../diagnostic.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import { kindBytes, type RecordView } from '../inventory/entry.ts'
import { decideFate, verdicts, type FatePolicy, type Verdict } from '../inventory/fates.ts'
import type { PathFilter } from '../inventory/filter.ts'
import { hasImpossibleSegment, holdsReplacement, isTooLong, isUtf8 } from '../inventory/names.ts'
import { createScanner } from '../inventory/scan.ts'
import { createSummary, type SummaryBuilder } from '../inventory/summary.ts'
import type { Location } from '../plan/plan.ts'
import { isRcloneName } from '../tools/rclone-names.ts'
import type { DestinationLook } from './look-destination.ts'
import type { ManifestWriter } from './manifest-file.ts'

/** How long one chunk may keep everything else waiting, milliseconds, and how much of it is looked at between two glances at the clock. */
const TURN_MILLIS = 40
const SLICE_BYTES = 8192

export interface IntakeOptions {
  readonly tree: TreeBuilder
  readonly look: DestinationLook
  readonly policy: FatePolicy
  readonly filter: PathFilter | undefined
  readonly writer: ManifestWriter
  readonly sourceRoot: Location
  readonly destinationRoot: Location
  /** Files whose names are also directories, as latin1 paths. */
  readonly prefixes?: ReadonlySet<string>
  readonly onProgress?: (entries: number) => void
}

export interface Intake {
  readonly summary: SummaryBuilder
  readonly filtered: number
  /** Symlinks seen that the filter lets through. */
  readonly links: number
  take(view: RecordView): void
  /** Takes a chunk of a listing; what it returns is to be waited for. */
  push(chunk: Buffer): Promise<void> | undefined
  /** The listing is over. Fails SX207 when it was not made of whole records. */
  end(): Result<undefined>
}

class Intaking implements Intake {
  readonly summary = createSummary()
  filtered = 0
  links = 0
  private entries = 0
  private readonly options: IntakeOptions
  private readonly fromRemote: boolean
  private readonly toRemote: boolean
  private readonly longestRoot: number
  private readonly scanner = createScanner('listing', (view) => {
    this.take(view)
  })

  constructor(options: IntakeOptions) {
    this.options = options
    const { sourceRoot, destinationRoot } = options
    this.fromRemote = sourceRoot.kind === 'rclone'
    this.toRemote = destinationRoot.kind === 'rclone'
    const rootBytes = (root: Location): number => (root.kind === 'local' ? Buffer.byteLength(root.path) : 0)
    this.longestRoot = Math.max(rootBytes(sourceRoot), rootBytes(destinationRoot))
  }

  take(view: RecordView): void {
    const { filter, tree, writer } = this.options
    if (filter?.takes(view) === false) {
      this.filtered++
      return
    }
    if (view.kindByte === kindBytes.symlink) this.links++
    const isValid = view.isAscii || isUtf8(view.buffer, view.pathStart, view.pathEnd)
    const verdict = this.judge(view, isValid)
    this.entries++
    tree.add(view, verdict.byte)
    this.summary.add(view, verdict, isValid)
    writer.add(view, verdict.byte)
  }

  private judge(view: RecordView, isValid: boolean): Verdict {
    const { look, policy, prefixes } = this.options
    if (this.fromRemote ? holdsReplacement(view) : this.toRemote && !isValid) return verdicts.notRepresentable
    if (this.toRemote && !this.fromRemote) {
      if (!isRcloneName(view.buffer.subarray(view.pathStart, view.pathEnd))) return verdicts.misreadName
    }
    if (isTooLong(view, this.longestRoot)) return verdicts.tooLong
    if (this.fromRemote && !this.toRemote) {
      if (hasImpossibleSegment(view)) return verdicts.impossibleName
      if (prefixes !== undefined && view.kindByte !== kindBytes.directory) {
        if (prefixes.has(view.buffer.toString('latin1', view.pathStart, view.pathEnd)))
          return verdicts.alsoPrefix
      }
    }
    return decideFate(view, look.find(view), policy)
  }

  push(chunk: Buffer): Promise<void> | undefined {
    const { look, onProgress, writer } = this.options
    if (look.isSlow) return this.pushSlowly(chunk)
    this.scanner.push(chunk)
    onProgress?.(this.entries)
    return writer.pressure()
  }

  /** Each entry may wait for a disk, so that others get a turn in between. */
  private async pushSlowly(chunk: Buffer): Promise<void> {
    const { onProgress, writer } = this.options
    let since = performance.now()
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      this.scanner.push(chunk.subarray(at, at + SLICE_BYTES))
      if (performance.now() - since < TURN_MILLIS) continue
      onProgress?.(this.entries)
      await setImmediate()
      since = performance.now()
    }
    onProgress?.(this.entries)
    await writer.pressure()
  }

  end(): Result<undefined> {
    const fault = this.scanner.end()
    if (fault === undefined) return ok(undefined)
    return failWith(
      'SX207',
      `the listing of ${this.options.sourceRoot.path} has a ${fault.reason} record at byte ${fault.offset}`,
      'See that `find --version` says GNU findutils, then plan again.',
    )
  }
}

/** Starts taking in what a source holds. */
export function createIntake(options: IntakeOptions): Intake {
  return new Intaking(options)
}
