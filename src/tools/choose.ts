/** Which tool carries a transfer, and why. */

import { fail, failWith, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import { namesAreBytes, type Location, type ToolName, type Transfer } from '../plan/plan.ts'
import { awsFloor } from './aws.ts'
import { placeText } from './rclone-place.ts'
import { rcloneFloor } from './rclone.ts'
import { rsyncFloor } from './rsync.ts'
import { isAtLeast, type FoundTools, type ToolChoice, type ToolVersion, type VersionFloor } from './tool.ts'
import { toolOf } from './tools.ts'

/**
 * Below this mean size a file's own cost outweighs its bytes: 200,000 files of 1 KB took rsync 5 s and rclone 14 s
 * from memory to memory, while rclone copies several large files at once and rsync one after another.
 */
export const SMALL_FILE_BYTES = 1024 * 1024

/** `--sftp-ssh`, without which rclone knows no server on the way: 1.60 lacks it, 1.75 has it, none between was tried. */
const jumpFloor: VersionFloor = { major: 1, minor: 64 }

/** Over SSH one rsync per worker does for less than this; above it, rclone's many streams are worth their start. */
export const LARGE_OVER_SSH_BYTES = 100 * 2 ** 30

export interface Load {
  readonly files: number
  readonly bytes: number
  readonly hasHardLinks: boolean
  /** Symlinks that are kept. */
  readonly symlinks: number
  /** Names that rclone could not carry over SSH as they are. */
  readonly oddNames: number
}

const floors: Readonly<Partial<Record<ToolName, VersionFloor>>> = {
  rclone: rcloneFloor,
  rsync: rsyncFloor,
  aws: awsFloor,
}

/**
 * The plan's own tool, or for `auto` the one that suits the load, or the other one where that is missing. Fails
 * SX401 when none is there, SX402 when the tool cannot carry the pair, SX403 when it is too old, SX405 when it cannot
 * follow symlinks at the destination, SX406 when it cannot carry symlinks over SSH, SX409 when it knows no way over the
 * server that the plan names.
 */
export function chooseTool(
  transfer: Transfer,
  found: FoundTools,
  load: Load,
  from: Location = transfer.from,
  to: Location = transfer.to,
): Result<ToolChoice> {
  if (transfer.tool !== 'auto') return explicit(transfer, transfer.tool, found, load, from, to)
  const [first, reason, isOnlyOne] = preferred(transfer, found, load, from, to)
  if (!toolOf(first).carries(from, to)) return cannotCarry(transfer, first, from, to)
  const version = toolFor(found, first, from, to)
  if (version.ok) return ok({ name: first, version: version.value, reason })
  if (transfer.followDestinationLinks || isOnlyOne === true) return version
  const second: ToolName = first === 'rsync' ? 'rclone' : 'rsync'
  if (!toolOf(second).carries(from, to)) return version
  const other = toolFor(found, second, from, to)
  if (!other.ok) return fail([...version.error, ...other.error])
  return ok({
    name: second,
    version: other.value,
    reason: `${first} would suit better (${reason}), but is not there`,
  })
}

function explicit(
  transfer: Transfer,
  name: ToolName,
  found: FoundTools,
  load: Load,
  from: Location,
  to: Location,
): Result<ToolChoice> {
  if (!toolOf(name).carries(from, to)) return cannotCarry(transfer, name, from, to)
  if (name === 'rclone' && isOverSsh(from, to) && load.symlinks > 0)
    return failWith(
      'SX406',
      `transfer ${transfer.name}: rclone does not carry symlinks over SSH, and ${load.symlinks} are to be kept`,
      'Write `tool: rsync` or `tool: auto`, or say `symlinks: follow` or `symlinks: skip`.',
    )
  if (name === 'rsync' && transfer.followDestinationLinks)
    return failWith(
      'SX405',
      `transfer ${transfer.name}: rsync does not write through symlinks at the destination`,
      'Write `tool: rclone`, or remove `followDestinationLinks`.',
      'Recent versions (3.5.0 was tried) refuse every path that leads over one.',
    )
  const version = toolFor(found, name, from, to)
  if (!version.ok) return version
  // Whoever looks at a bucket, before, between and afterwards, does so with rclone.
  const looking = name === 'aws' ? usableTool(found, 'rclone') : version
  return looking.ok ? ok({ name, version: version.value, reason: 'named in the plan' }) : looking
}

function preferred(
  transfer: Transfer,
  found: FoundTools,
  load: Load,
  from: Location,
  to: Location,
): readonly [name: ToolName, reason: string, isOnlyOne?: boolean] {
  if (transfer.followDestinationLinks) return ['rclone', 'it writes through symlinks at the destination']
  if (isOverSsh(from, to) && namesAreBytes(from) && namesAreBytes(to)) return overSsh(found, load, from, to)
  if (from.kind !== 'local' || to.kind !== 'local') return ['rclone', 'it reaches remotes']
  if (load.hasHardLinks) return ['rsync', 'it keeps hard links']
  const mean = load.files === 0 ? 0 : load.bytes / load.files
  return mean < SMALL_FILE_BYTES
    ? ['rsync', 'small files: it spends less on each']
    : ['rclone', 'large files: it copies several at once']
}

function isOverSsh(...ends: readonly Location[]): boolean {
  return ends.some(({ kind }) => kind === 'ssh' || kind === 'sftp')
}

/** rsync keeps more; rclone moves large amounts with many streams. */
function overSsh(
  found: FoundTools,
  { bytes, hasHardLinks, oddNames, symlinks }: Load,
  from: Location,
  to: Location,
): readonly [name: ToolName, reason: string, isOnlyOne?: boolean] {
  if (oddNames > 0) return ['rsync', 'it carries every name as it is', true]
  if (symlinks > 0) return ['rsync', 'it keeps symlinks', true]
  if (!toolOf('rsync').carries(from, to)) return ['rclone', 'it needs no rsync on the server']
  if (hasHardLinks) return ['rsync', 'it keeps hard links']
  if (!toolFor(found, 'rclone', from, to).ok && isOverJump(from, to))
    return ['rsync', 'over a jump host, which the rclone here cannot use']
  return bytes < LARGE_OVER_SSH_BYTES
    ? ['rsync', 'over SSH, and not much']
    : ['rclone', 'over SSH, and much: it has many streams']
}

function cannotCarry(
  transfer: Transfer,
  name: ToolName,
  from: Location,
  to: Location,
): ReturnType<typeof failWith> {
  const server = [from, to].find((location) => location.kind === 'ssh' || location.kind === 'sftp')
  if (name === 'rsync' && server !== undefined && (from.kind === 'local' || to.kind === 'local'))
    return failWith(
      'SX402',
      `transfer ${transfer.name}: there is no rsync that could be started on ${placeText(server)}`,
      'Install rsync there, or write `tool: rclone`.',
      server.kind === 'sftp' ? 'The server offers files over SFTP, and no shell.' : undefined,
    )
  return failWith(
    'SX402',
    name === 'aws'
      ? `transfer ${transfer.name}: aws copies between a folder and a bucket, and between buckets of one service and profile`
      : `transfer ${transfer.name}: ${name} copies between folders, and between a folder and a server`,
    'Write `tool: rclone`, or leave the choice to soxplan with `tool: auto`.',
  )
}

function isOverJump(...ends: readonly Location[]): boolean {
  return ends.some((end) => (end.kind === 'ssh' || end.kind === 'sftp') && end.server.jump !== undefined)
}

/** SX401, SX403 and SX409: a tool that can be used between these places. */
function toolFor(found: FoundTools, name: ToolName, ...ends: readonly Location[]): Result<ToolVersion> {
  const tool = usableTool(found, name)
  return tool.ok && name === 'rclone' ? overJump(tool.value, ...ends) : tool
}

/** SX409: this rclone cannot go over the server on the way to one of these places. */
export function overJump(rclone: ToolVersion, ...ends: readonly Location[]): Result<ToolVersion> {
  const [end] = ends.filter((one) => isOverJump(one))
  if (end === undefined || isAtLeast(rclone, jumpFloor)) return ok(rclone)
  return failWith(
    'SX409',
    `rclone ${rclone.text} cannot reach ${placeText(end)} over a jump host: ${jumpFloor.major}.${jumpFloor.minor} or newer is needed`,
    'Install a newer rclone, or name one in the plan: tools: { rclone: { path: … } }; or write `tool: rsync`.',
  )
}

/** SX401 and SX403: the tool is missing, or older than all that soxplan asks of it. */
export function usableTool(found: FoundTools, name: ToolName): Result<ToolVersion> {
  const tool = found[name]
  if (tool === undefined) return fail([missing(name)])
  if (!('major' in tool)) return fail([tool])
  const floor = floors[name]
  if (floor !== undefined && !isAtLeast(tool, floor))
    return failWith(
      'SX403',
      `${name} ${tool.text} is too old: ${floor.major}.${floor.minor} or newer is needed`,
      `Install a newer ${name}, or name one in the plan: tools: { ${name}: { path: … } }.`,
    )
  return ok(tool)
}

/** Debian's names. */
const packages: Readonly<Record<ToolName, string>> = { rclone: 'rclone', rsync: 'rsync', aws: 'awscli' }

/** SX401. Also what the probe says about a tool that it did not find. */
export function missing(name: ToolName, why?: string): Diagnostic {
  return {
    code: 'SX401',
    severity: 'error',
    what: `${name} is not installed here`,
    ...(why === undefined ? {} : { why }),
    todo: `Install it (\`apt install ${packages[name]}\`, \`module load ${name}\`), or name it in the plan: tools: { ${name}: { path: … } }.`,
  }
}
