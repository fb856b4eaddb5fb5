/**
 * The plan as the user wrote it: every value that is there has its right form, but anything may be missing, because
 * rules also look at plans of which a part was wrong. Field for field the same as the schema; a test compares them.
 */

import type { Attribute, Compare, Existing, Symlinks, ToolName, Verify } from './plan.ts'

export interface WrittenPlan {
  readonly version?: 1
  readonly name?: string
  readonly vars?: Readonly<Record<string, string | number | boolean>>
  readonly endpoints?: Readonly<Record<string, WrittenEndpoint>>
  readonly slurm?: WrittenSlurm
  readonly tools?: Readonly<Partial<Record<ToolName, WrittenTool>>>
  readonly environment?: WrittenEnvironment
  readonly nodes?: number
  readonly exclusive?: boolean
  readonly state?: string
  readonly transfers?: Readonly<Record<string, WrittenTransfer>>
}

export type WrittenEndpoint =
  WrittenLocal | WrittenRclone | WrittenS3 | WrittenSsh | { readonly type?: undefined }

export interface WrittenLocal {
  readonly type: 'local'
  readonly path?: string
}

export interface WrittenRclone {
  readonly type: 'rclone'
  readonly config?: string
  readonly remote?: string
}

export interface WrittenS3 {
  readonly type: 's3'
  readonly bucket?: string
  readonly region?: string
  readonly endpoint?: string
  readonly provider?: string
  readonly profile?: string
  readonly credentials?: string
  readonly maxConnections?: number
}

export interface WrittenSsh {
  readonly type: 'ssh'
  readonly host?: string
  readonly user?: string
  readonly port?: number
  readonly key?: string
  readonly knownHosts?: string
  readonly jump?: string
  readonly maxConnections?: number
}

export interface WrittenTool {
  readonly setup?: readonly string[]
  readonly path?: string
}

export interface WrittenEnvironment {
  readonly pass?: readonly string[]
}

export interface WrittenSlurm {
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
  readonly time?: string | number
  readonly cpus?: number
  readonly memory?: string | number
  readonly requeue?: boolean
  readonly extra?: readonly string[]
}

export interface WrittenTransferSlurm extends WrittenSlurm {
  readonly copy?: WrittenSlurm
  readonly fixup?: WrittenSlurm
  readonly verify?: WrittenSlurm
  readonly prune?: WrittenSlurm
}

export interface WrittenTransfer {
  readonly from?: string
  readonly to?: string
  readonly tool?: 'auto' | ToolName
  readonly mode?: 'copy' | 'mirror'
  readonly maxDelete?: string
  readonly where?: 'slurm' | 'login'
  readonly existing?: Existing
  readonly compare?: Compare
  readonly verify?: Verify
  readonly nodes?: number
  readonly exclusive?: boolean
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly symlinks?: Symlinks
  readonly umask?: string
  readonly bandwidth?: string
  readonly fixup?: WrittenFixup
  readonly options?: Readonly<Partial<Record<ToolName, Readonly<Record<string, string | number | boolean>>>>>
  readonly onChange?: 'refuse' | 'deliver-unchanged'
  readonly followDestinationLinks?: boolean
  readonly after?: readonly (string | WrittenAfter)[]
  readonly retries?: WrittenRetries
  readonly slurm?: WrittenTransferSlurm
}

export interface WrittenFixup {
  readonly from?: string
  readonly preserve?: readonly Attribute[]
  readonly owners?: 'names' | 'ids'
}

export interface WrittenAfter {
  readonly transfer?: string
  readonly allow?: 'complete' | 'partial'
}

export interface WrittenRetries {
  readonly attempts?: number
}
