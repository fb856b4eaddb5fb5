/** The preview as data: what `plan` prints, what `plan --json` gives, and what `apply` shows before it asks. */

import type { ExecutorKind } from '../run/event.ts'

export interface CountOf {
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  readonly bytes: number
}

export interface NamedReason {
  readonly path: string
  readonly reason: string
}

/** The first few names with their reasons, and how many there are in all. */
export interface NamedReasons {
  readonly count: number
  readonly named: readonly NamedReason[]
}

export interface WorkPreview {
  readonly tool: { readonly name: string; readonly version: string; readonly reason: string }
  /** Absent where one end is a disk, so that there is but one way. */
  readonly route?: 'server-side' | 'streamed'
  readonly shards: number
  readonly balance: {
    readonly ratio: number
    readonly dominant?: { readonly path: string; readonly sizeBytes: number }
    /** A directory that the tool can not divide. */
    readonly undivided?: { readonly path: string; readonly files: number; readonly sizeBytes: number }
  }
  readonly workers: number
  readonly estimate: { readonly seconds: number; readonly bytesPerSecond: number; readonly assumed: string }
}

/** What only the destination has. `bytes` are those of the files. */
export interface DeletesPreview {
  readonly count: number
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  /** Special files. */
  readonly others: number
  readonly bytes: number
  /** Entries at the destination that the filter lets through. */
  readonly entries: number
  /** The first names, printable. */
  readonly first: readonly string[]
  /** All names, where there are more. */
  readonly file?: string
}

export interface TransferPreview {
  readonly name: string
  readonly from: string
  readonly to: string
  /** One real entry of the source and where it lands; absent for an empty source. */
  readonly mapping?: { readonly from: string; readonly to: string }
  readonly fates: Readonly<Record<'new' | 'changed' | 'check' | 'attributes' | 'same', CountOf>>
  readonly skipped: NamedReasons
  readonly refused: NamedReasons
  /** Directories without any entry, towards a remote, which does not hold them; absent: none. */
  readonly empty?: NamedReasons
  readonly listingErrors: { readonly count: number; readonly lines: readonly string[] }
  readonly filtered: number
  /** Absent: nothing of it is left to copy. */
  readonly work?: WorkPreview
  readonly deletes?: DeletesPreview
  /** Why a mirror deletes nothing, half a sentence. */
  readonly deletesWithheld?: string
  /** Set behind the copy. */
  readonly fixup?: {
    readonly from: string
    readonly preserve: readonly string[]
    readonly owners: 'names' | 'ids'
  }
  readonly proof: { readonly kind: string; readonly sentence: string }
  readonly after: readonly string[]
  /** A transfer that it stands `after` and that can not be delivered in full: nothing of this one runs. */
  readonly blockedBy?: string
}

export interface StepPreview {
  readonly id: string
  readonly after: readonly string[]
  readonly shards: number
  readonly workers: number
  /** Runs on this machine before anything is submitted. */
  readonly isFirstHere?: true
  /** sbatch options that ask for resources; empty on this machine. */
  readonly resources: readonly string[]
  /** When Slurm would start its first worker now, UTC, of what stands behind nothing; absent: it did not say. */
  readonly startsAt?: string
}

export interface Preview {
  readonly version: 1
  readonly plan: string
  readonly file: string
  readonly executor: ExecutorKind
  readonly transfers: readonly TransferPreview[]
  readonly steps: readonly StepPreview[]
  readonly warnings: readonly string[]
}
