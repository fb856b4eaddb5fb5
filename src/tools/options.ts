/** The user's tuning options as flags. Which options there are is the schema's business; from which version on, ours. */

import type { Diagnostic } from '../diagnostic.ts'
import type { ToolName, Transfer } from '../plan/plan.ts'
import { isAtLeast, type ToolVersion, type VersionFloor } from './tool.ts'

/** From rclone's and rsync's changelogs; an option that is not named is older than any version we accept. */
const since: Readonly<Partial<Record<ToolName, Readonly<Record<string, VersionFloor>>>>> = {
  rclone: {
    'multi-thread-chunk-size': { major: 1, minor: 64 },
    'multi-thread-write-buffer-size': { major: 1, minor: 63 },
    'max-buffer-memory': { major: 1, minor: 70 },
    'max-connections': { major: 1, minor: 70 },
    'sftp-chunk-size': { major: 1, minor: 59 },
    'sftp-concurrency': { major: 1, minor: 59 },
  },
  rsync: {
    'compress-choice': { major: 3, minor: 2 },
    'checksum-choice': { major: 3, minor: 1 },
    'open-noatime': { major: 3, minor: 2 },
  },
}

/** The transfer's own options for one tool. */
function written(
  transfer: Transfer,
  tool: ToolName,
): readonly (readonly [string, string | number | boolean])[] {
  return Object.entries(transfer.options[tool] ?? {})
}

/** `--name=value`, `--name` or `--no-name`, in the order the user wrote; options the version lacks are left out. */
export function optionFlags(transfer: Transfer, version: ToolVersion): readonly string[] {
  return written(transfer, version.tool).flatMap(([name, value]) => {
    const floor = since[version.tool]?.[name]
    if (floor !== undefined && !isAtLeast(version, floor)) return []
    if (typeof value !== 'boolean') return [`--${name}=${value}`]
    if (version.tool === 'rclone') return [`--${name}=${String(value)}`]
    return [value ? `--${name}` : `--no-${name}`]
  })
}

/** The least versions that the options in use ask for. */
export function optionFloors(transfer: Transfer, version: ToolVersion): readonly VersionFloor[] {
  return written(transfer, version.tool)
    .map(([name]) => since[version.tool]?.[name])
    .filter((floor) => floor !== undefined && isAtLeast(version, floor)) as readonly VersionFloor[]
}

/** SX404, a warning, for each option that the installed version does not know: it is left out, not fatal. */
export function optionWarnings(transfer: Transfer, version: ToolVersion): readonly Diagnostic[] {
  return written(transfer, version.tool).flatMap(([name]) => {
    const floor = since[version.tool]?.[name]
    if (floor === undefined || isAtLeast(version, floor)) return []
    return [
      {
        code: 'SX404',
        severity: 'warning' as const,
        what: `transfer ${transfer.name}: ${version.tool} ${version.text} does not know ${name}, so it is left out`,
        todo: `Install ${version.tool} ${floor.major}.${floor.minor} or newer, or remove the option from the plan.`,
      },
    ]
  })
}

/** Options that a plan may set and that this version does not know, with the version that brought each. */
export function unknownOptions(
  version: ToolVersion,
): readonly { readonly name: string; readonly floor: VersionFloor }[] {
  return Object.entries(since[version.tool] ?? {})
    .filter(([, floor]) => !isAtLeast(version, floor))
    .map(([name, floor]) => ({ name, floor }))
}
