/** What every transfer tool answers: which pairs it carries, with which arguments and lists, and what its log says. */

import type { Location, ToolName, Transfer } from '../plan/plan.ts'

/** A tool as found: the binary's path on this machine and its version, as it was run. */
export interface ToolVersion {
  readonly tool: ToolName
  readonly path: string
  /** As the tool prints it, such as `v1.60.1-DEV` or `3.2.7`. */
  readonly text: string
  readonly major: number
  readonly minor: number
}

/** The tool a transfer uses, and the reason in the words of the preview. */
export interface ToolChoice {
  readonly name: ToolName
  readonly version: ToolVersion
  readonly reason: string
}

/** What varies per shard and attempt is left to the worker script as `${…}` variables: these are the parts of one argv. */
export interface CopyCommand {
  /** Arguments before the list file, each one word, none of them shell text. */
  readonly args: readonly string[]
  /** The flag that takes the list file, such as `--files-from-raw`. The worker appends `flag listfile source destination`. */
  readonly listFlag: string
  readonly source: string
  readonly destination: string
}

export interface CopyContext {
  readonly transfer: Transfer
  readonly version: ToolVersion
  readonly workers: number
  /** Whole-transfer limit divided by workers, bytes per second; absent: unlimited. */
  readonly bandwidthPerWorker?: number
  readonly hasHardLinks: boolean
}

export interface Tool {
  readonly name: ToolName
  /** True when the tool can carry exact file lists between these two places. */
  carries(from: Location, to: Location): boolean
  copyCommand(context: CopyContext): CopyCommand
  /**
   * One list entry. `path` is the manifest's path, raw bytes. Returns the bytes to write, separator included.
   */
  listEntry(path: Uint8Array, version: ToolVersion): Uint8Array
  /** Bytes moved so far, from the tail of the tool's own log; undefined while it has said nothing. */
  progress(logTail: string): number | undefined
}
