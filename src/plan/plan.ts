/** A `Plan` is what the user wrote, made valid: defaults filled in, references resolved, paths absolute. */

import type { BytesPerSecond, Seconds, TransferName } from '../units.ts'

/** Where data is or goes. Paths are absolute and normalised, without a closing slash (but `/` itself). */
export type Location =
  /** Of this machine and the nodes. */
  | { readonly kind: 'local'; readonly path: string }
  | {
      readonly kind: 'rclone'
      /** The endpoint's name in the plan. */
      readonly endpoint: string
      /** The section of rclone.conf, without the colon. */
      readonly remote: string
      /** Absolute path of rclone.conf; absent: rclone's own default. */
      readonly configPath?: string
      /** Path behind the colon, no leading slash added or removed, no closing slash; may be empty. */
      readonly path: string
    }
  | S3Location
  | SshLocation

/** A place in a bucket. Keys come from the profile's file or from the role of the machine, never from a plan. */
export interface S3Location {
  readonly kind: 's3'
  readonly endpoint: string
  readonly bucket: string
  readonly region?: string
  /** Address of the service, where it is not AWS. */
  readonly service?: string
  /** rclone's name of the service. */
  readonly provider?: string
  readonly profile?: string
  /** Absolute path of the shared credentials file; absent: where the tools look by themselves. */
  readonly credentials?: string
  /** Over all workers; absent: no limit. */
  readonly maxConnections?: number
  /** Prefix without a slash at either end; may be empty. */
  readonly path: string
}

/** `ssh`: commands run there, and names are raw bytes. `sftp`: files only, so that rclone does all the looking. */
export interface SshLocation {
  readonly kind: 'ssh' | 'sftp'
  readonly endpoint: string
  readonly server: SshServer
  /** The version of rsync there, once the server was asked; absent where it has none. */
  readonly rsync?: { readonly major: number; readonly minor: number }
  /** Absolute, or relative to the home there; may be empty. No closing slash but for `/` itself. */
  readonly path: string
}

/** A server and what it takes to log in without a question. */
export interface SshServer {
  readonly host: string
  readonly user?: string
  readonly port: number
  /** Absolute path of a private key without a passphrase; absent: the first of the usual ones that is there. */
  readonly key?: string
  /** Absolute path. */
  readonly knownHosts: string
  /** A server on the way: `user@host:port`, the user and the port as far as they are said. */
  readonly jump?: string
  /** Over all workers, ≥ 1. */
  readonly maxConnections: number
}

/** Locations whose entries go by their raw bytes, as against those that go by rclone's names for them. */
export type BytesLocation = Extract<Location, { kind: 'local' }> | (SshLocation & { readonly kind: 'ssh' })

/** True where names are raw bytes, and where directories, symlinks and times are what they are on a disk. */
export function namesAreBytes(location: Location): location is BytesLocation {
  return location.kind === 'local' || location.kind === 'ssh'
}

export type ToolName = 'rclone' | 'rsync' | 'aws'
export type Existing = 'update' | 'keep' | 'keep-newer' | 'error'
export type Compare = 'auto' | 'size' | 'size+mtime' | 'checksum'
export type Verify = 'none' | 'auto' | 'size' | 'size+mtime' | 'checksum' | 'download'
export type Symlinks = 'keep' | 'follow' | 'skip'

/** What a fixup sets at the destination as it is at its source. */
export type Attribute = (typeof attributes)[number]
export const attributes = ['owner', 'group', 'permissions', 'times', 'acls', 'xattrs', 'hardlinks'] as const

/** Of a fixup that does not say: what a listing shows, so that a later apply can tell whether it is set. */
export const defaultPreserve: readonly Attribute[] = ['owner', 'group', 'permissions', 'times']

/** Stages that `slurm:` of a transfer may speak of. */
export const slurmStages = ['copy', 'fixup', 'verify', 'prune'] as const

/** Attributes that are set after the copy, by rsync. */
export interface Fixup {
  /** Where they are read: a disk or a server. Absent: at the transfer's own `from`. */
  readonly from?: Location
  readonly preserve: readonly Attribute[]
  /** Owners and groups by their names, or by their numbers. */
  readonly owners: 'names' | 'ids'
}

/** What of `slurm:` holds for one stage: plan, transfer and stage merged, the innermost wins. All optional but `requeue`. */
export interface SlurmOptions {
  readonly partition?: string
  readonly account?: string
  readonly qos?: string
  readonly reservation?: string
  readonly constraint?: string
  readonly exclude?: string
  readonly exclusive?: boolean
  readonly gres?: string
  readonly licenses?: string
  readonly nice?: number
  readonly mailType?: string
  readonly mailUser?: string
  readonly time?: Seconds
  readonly cpus?: number
  /** As Slurm takes it: `500G`. */
  readonly memory?: string
  readonly requeue: boolean
  /** Further sbatch options, each checked against the list of those that soxplan does not set itself. */
  readonly extra: readonly string[]
}

/** How a tool is found on the nodes. `setup` lines are shell text of the user's own, run before anything else. */
export interface ToolSetup {
  readonly setup: readonly string[]
  readonly path?: string
}

/** What the destination has and the source has not is deleted, once all else is proven. */
export interface Mirror {
  /** The part of the destination's entries that may go without a confirmation, 0 to 1. */
  readonly maxDeleteShare: number
}

export interface Transfer {
  readonly name: TransferName
  readonly from: Location
  readonly to: Location
  /** `to` was written with a closing slash: a single file lands inside it. */
  readonly toIsDirectory: boolean
  readonly tool: 'auto' | ToolName
  /** Absent: `mode: copy`, nothing is deleted. */
  readonly mirror?: Mirror
  readonly existing: Existing
  readonly compare: Compare
  readonly verify: Verify
  /** `login`: by the soxplan that applies the plan, before anything is submitted. */
  readonly where: 'slurm' | 'login'
  /** Workers at most, ≥ 1. */
  readonly nodes: number
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Absent: the user did not say. Between disks that means `keep`; towards a remote it is asked for when links turn up. */
  readonly symlinks?: Symlinks
  /** Four octal digits at most, such as `002`; absent: inherited. */
  readonly umask?: string
  /** Of the whole transfer, over all workers. */
  readonly bandwidth?: BytesPerSecond
  readonly fixup?: Fixup
  /** Tuning flags per tool, from its allow-list: `{ rclone: { transfers: 32 } }`. */
  readonly options: Readonly<Partial<Record<ToolName, Readonly<Record<string, string | number | boolean>>>>>
  readonly onChange: 'refuse' | 'deliver-unchanged'
  readonly followDestinationLinks: boolean
  readonly after: readonly TransferName[]
  /** Slurm jobs outside of the plan that must have ended well first: `12345`, or `12345_0` for one task of an array. */
  readonly afterJobs: readonly string[]
  /** Attempts per shard, ≥ 1. */
  readonly attempts: number
  /** `directories` is the end of the fixup, and has its options. */
  readonly slurm: Readonly<Record<(typeof slurmStages)[number] | 'directories', SlurmOptions>>
}

export interface Plan {
  readonly name: string
  /** Absolute path of the plan file, and of the folder relative paths in it count from. */
  readonly file: string
  readonly folder: string
  /** `state:` made absolute; absent: `.soxplan` beside the plan. */
  readonly stateDir?: string
  /** In the order of the file. */
  readonly transfers: readonly Transfer[]
  readonly tools: Readonly<Partial<Record<ToolName, ToolSetup>>>
  /** Names of environment variables handed on to the jobs. */
  readonly environmentPass: readonly string[]
}
