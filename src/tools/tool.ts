/** What every transfer tool answers: which pairs it carries, with which arguments and lists, and what its log says. */

import type { Diagnostic } from '../diagnostic.ts'
import type { Location, ToolName, Transfer } from '../plan/plan.ts'

/** A tool as found: the binary's path on this machine and its version, as it was run. */
/** What makes a tool say its version. */
export function versionArgument(tool: ToolName): string {
  return tool === 'rclone' ? 'version' : '--version'
}

export interface ToolVersion {
  readonly tool: ToolName
  readonly path: string
  /** As the tool prints it, such as `v1.60.1-DEV` or `3.2.7`. */
  readonly text: string
  readonly major: number
  readonly minor: number
}

/** What was found on this machine: a version, or why there is none. A tool nobody asked about is absent. */
export type FoundTools = Readonly<Partial<Record<ToolName, ToolVersion | Diagnostic>>>

/** The tool a transfer uses, and the reason in the words of the preview. */
export interface ToolChoice {
  readonly name: ToolName
  readonly version: ToolVersion
  readonly reason: string
}

/** `1.60`: the least version that knows every flag of a command. */
export interface VersionFloor {
  readonly major: number
  readonly minor: number
}

/** One end of a transfer. A single file has a `name` below `root`; otherwise all of `root` is meant. */
export interface TransferEnd {
  readonly root: Location
  readonly name?: string
}

/** The parts of one argv; what varies per shard is left to the worker script. None of them is shell text. */
export interface CopyCommand {
  /** As the nodes find it: a name for `PATH`, or the plan's own path. */
  readonly program: string
  /** Behind the program, before the list file. */
  readonly args: readonly string[]
  /** Added where the worker runs as root, because only root may give files away. */
  readonly argsAsRoot: readonly string[]
  /**
   * The flag that takes the list file, such as `--files-from-raw`: the worker appends `flag listfile source destination`.
   * Absent: it appends names, as many as one call takes, and the destination, and calls it in the source's folder.
   */
  readonly listFlag?: string
  /** How many calls with names a worker may have running side by side; 1 where it gets a list. */
  readonly callsAtOnce: number
  /** The worker calls it once for each unit of `ID.units`, with the places of the unit behind `args`; it takes no names. */
  readonly takesPrefixes?: boolean
  /** `NAME=VALUE` for its configuration file, of which each worker has one of its own. */
  readonly settings?: readonly string[]
  /** Writes one of them, from a name and a value behind it. */
  readonly settingsCommand?: readonly string[]
  readonly source: string
  readonly destination: string
  /** A single file is copied by name: the worker appends these two instead, and no list. */
  readonly single?: { readonly source: string; readonly destination: string }
  /** False where the worker has to set the permissions of files, because the tool does so for root only. */
  readonly setsModes: boolean
  /** The tool writes under the final name from the first byte on. */
  readonly writesInPlace: boolean
  readonly needs: VersionFloor
}

/** How the worker looks at a remote: argv parts to which it appends lists and places. */
export interface RemoteCommands {
  /** Its first line names the version. */
  readonly version: readonly string[]
  readonly needs: VersionFloor
  /** The places as these commands name them. */
  readonly source: string
  readonly destination: string
  /** Prints `SIZE NAME` or `TIME SIZE NAME` lines; gets `--format`, a list and a place. */
  readonly list: readonly string[]
  /** Compares contents; gets a list and both places. */
  readonly check: readonly string[]
  /** Prints one file. */
  readonly read: readonly string[]
  /** Lists as `list` does, but with the times at which the service took the objects. */
  readonly listUploads: readonly string[]
  /** Deletes files; gets a list that is not empty, and a place. */
  readonly remove: readonly string[]
}

export interface CopyContext {
  readonly transfer: Transfer
  readonly version: ToolVersion
  /** The plan's `tools.NAME.path`; absent: the tool's name. */
  readonly program?: string
  readonly source: TransferEnd
  readonly destination: TransferEnd
  /** Whole-transfer limit divided by workers, bytes per second; absent: unlimited. */
  readonly bandwidthPerWorker?: number
  /** Connections that the places bear, divided by workers; absent: unlimited. */
  readonly connectionsPerWorker?: number
  readonly hasHardLinks: boolean
  /** Of the largest file of the source, as it was listed; absent: none is large. */
  readonly largestBytes?: number
}

/** Of a tool without lists of names. What it carries is a whole subtree, or all files that stand directly in one folder. */
export interface WholePrefixes {
  /** Whether what stands in a folder can be told from what is below it. `path` is latin1 text, relative to `root`. */
  opens(root: Location, path: string): boolean
  /** The tool's own name for a path of the manifest. */
  nameOf(path: Uint8Array, from: Location): Uint8Array
  /** What leaves out exactly this name, which is relative to the unit. */
  pattern(name: Uint8Array): Uint8Array
}

/** Why files did not arrive, as far as the log of one attempt tells. */
export type LogClass = 'denied' | 'no-space' | 'changed' | 'unreachable' | 'throttled' | 'usage' | 'unknown'

export interface Tool {
  readonly name: ToolName
  /** True when the tool can carry shards between these two places. */
  carries(from: Location, to: Location): boolean
  /** Symlinks are the worker's business; otherwise they stand in the tool's list. */
  readonly leavesSymlinks: boolean
  /** Absent: exact lists tell it what to carry. */
  readonly prefixes?: WholePrefixes
  copyCommand(context: CopyContext): CopyCommand
  /**
   * One list entry. `path` is the manifest's path relative to the source: raw bytes of a local source, the tool's own
   * name of a remote one. Returns the bytes to write, separator included.
   */
  listEntry(path: Uint8Array, from: Location): Uint8Array
  /** Bytes moved so far, from the tail of the tool's own log; undefined while it has said nothing. */
  progress(logTail: string): number | undefined
  /** The most telling cause in a log, for reports; what became of each file is found by looking at it. */
  classifyLog(logTail: string): LogClass
}

/** True when `version` is at least `floor`. */
export function isAtLeast(version: VersionFloor, floor: VersionFloor): boolean {
  return version.major > floor.major || (version.major === floor.major && version.minor >= floor.minor)
}

/** The higher of several floors. */
export function highest(floors: readonly VersionFloor[]): VersionFloor {
  return floors.reduce((one, other) => (isAtLeast(one, other) ? one : other), { major: 0, minor: 0 })
}
