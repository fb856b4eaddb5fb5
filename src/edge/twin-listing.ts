/** Two folders that were made equal are often equal still: both are listed side by side, and nothing else is done. */

import { kindBytes, type RecordView } from '../inventory/entry.ts'
import { verdicts } from '../inventory/fates.ts'
import { ListingDigest } from '../inventory/listing-digest.ts'
import { isTooLong, isUtf8 } from '../inventory/names.ts'
import { createScanner } from '../inventory/scan.ts'
import { createSummary, type Summary } from '../inventory/summary.ts'
import { comparedFields, listLocal, onlyPath, type ListingErrors } from './list-local.ts'
import type { Ground } from './survey-ground.ts'
import type { Intake } from './survey-intake.ts'

/** So much of the source's listing is kept until it is known, some 600,000 entries; a longer one is taken in as it comes. */
const HELD_BYTES_MAX = 64 * 2 ** 20
/** A destination that takes longer than this beside the source's time is not waited for. */
const WAIT_MIN_MILLIS = 1000

/** The two ends, where they can be told equal by listings alone. */
export interface Twins {
  readonly from: string
  readonly to: string
}

/**
 * Two directories on disks that everything was delivered between once, where equal by kind, name, size and time means
 * that nothing is to be done. Undefined for all else.
 */
export function twinsOf({ request, source, destination, times, filter }: Ground): Twins | undefined {
  const { transfer, proveAll, deliveredBefore } = request
  if (deliveredBefore !== true || proveAll || filter !== undefined) return undefined
  if (transfer.fixup !== undefined || transfer.mirror !== undefined) return undefined
  if ((transfer.symlinks ?? 'keep') !== 'keep' || transfer.followDestinationLinks) return undefined
  if (times.comparison !== 'size+mtime' || destination.state !== 'filled') return undefined
  if (source.kind !== 'directory' || destination.name !== undefined) return undefined
  if (source.listed.kind !== 'local' || destination.root.kind !== 'local') return undefined
  return { from: source.listed.path, to: destination.root.path }
}

/** Stands before an intake: holds the listing back until both ends are known to be equal, or are not. */
export class TwinListing {
  private readonly summary = createSummary()
  private readonly source = new ListingDigest()
  private readonly destination = new ListingDigest()
  private readonly control = new AbortController()
  private readonly since = performance.now()
  private readonly scanner = createScanner('listing', (view) => {
    this.takeSource(view)
  })
  private readonly listing: Promise<boolean>
  private readonly intake: Intake
  private readonly ground: Ground
  private readonly rootBytes: number
  /** Undefined: they differ, or too much would have to be held. */
  private held: Buffer[] | undefined = []
  private heldBytes = 0
  private isSame = true

  constructor(ground: Ground, twins: Twins, intake: Intake) {
    this.ground = ground
    this.intake = intake
    this.rootBytes = Math.max(Buffer.byteLength(twins.from), Buffer.byteLength(twins.to))
    this.listing = this.listDestination(twins.to)
  }

  push(chunk: Buffer): Promise<void> | undefined {
    if (this.held === undefined) return this.intake.push(chunk)
    this.held.push(chunk)
    this.heldBytes += chunk.length
    if (this.scanner.push(chunk) !== undefined) this.isSame = false
    this.ground.request.onProgress?.(this.source.entries)
    return this.isSame && this.heldBytes <= HELD_BYTES_MAX ? undefined : this.release()
  }

  /** The source is listed. What it holds if the destination holds the same; else all of it is with the intake now. */
  async end(errors: ListingErrors): Promise<Summary | undefined> {
    if (this.held !== undefined && errors.count === 0 && this.scanner.end() === undefined) {
      const millis = Math.max(WAIT_MIN_MILLIS, performance.now() - this.since)
      const timer = setTimeout(() => {
        this.control.abort()
      }, millis)
      const isWhole = await this.listing
      clearTimeout(timer)
      if (isWhole && this.isSame && this.source.equals(this.destination)) return this.summary.finish()
    }
    await this.release()
    return undefined
  }

  /** Ends what is still running. */
  async close(): Promise<void> {
    this.control.abort()
    await this.listing
  }

  private async release(): Promise<void> {
    this.control.abort()
    const held = this.held ?? []
    this.held = undefined
    await this.listing
    for (const chunk of held) await this.intake.push(chunk)
  }

  private takeSource(view: RecordView): void {
    const { kindByte } = view
    const isPlain =
      kindByte === kindBytes.file || kindByte === kindBytes.directory || kindByte === kindBytes.symlink
    if (!isPlain || isTooLong(view, this.rootBytes)) this.isSame = false
    this.source.add(view)
    this.summary.add(view, verdicts.same, view.isAscii || isUtf8(view.buffer, view.pathStart, view.pathEnd))
  }

  /** True when all of it was listed. */
  private async listDestination(path: string): Promise<boolean> {
    const { signal } = this.control
    const scanner = createScanner('listing', (view) => {
      this.destination.add(view)
    })
    try {
      const listed = await listLocal({
        path,
        single: false,
        follow: false,
        fields: comparedFields,
        env: onlyPath(this.ground.request.env),
        signal: AbortSignal.any([signal, this.ground.request.signal]),
        onChunk(chunk) {
          scanner.push(chunk)
          return undefined
        },
      })
      return listed.ok && listed.value.count === 0 && scanner.end() === undefined
    } catch (error) {
      if (signal.aborted || this.ground.request.signal.aborted) return false
      throw error
    }
  }
}
