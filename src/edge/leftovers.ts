/** Finds what killed tools left at a destination: half files on disks and servers, and parts of uploads in buckets. */

import { createReadStream } from 'node:fs'
import path from 'node:path'
import { failWith, ok, type Result } from '../diagnostic.ts'
import type { Step } from '../graph/step.ts'
import type { Location } from '../plan/plan.ts'
import { leftoverCommand } from '../script/leftovers.ts'
import { finalNameOf, PARTIAL_FOLDER } from '../tools/leftovers.ts'
import { placeText } from '../tools/rclone-place.ts'
import { isErrno } from './files.ts'
import { listedAmong } from './listed-names.ts'
import { runListings } from './listing-queue.ts'
import { readShard, type ShardState } from './marks.ts'
import type { RunPaths } from './run-folder.ts'

/** Clocks of file servers differ: a file that was made this long before the run may still be the run's. */
const SLACK_SECONDS = 3600

export interface LeftoverContext {
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** When the run began. */
  readonly since: Date
}

/** Below `root`. Paths are latin1 text of raw bytes. */
export interface HalfFile {
  readonly path: string
  readonly sizeBytes: number
}

/** Names of a shard's files at the destination, by folder, in latin1. */
export type NamesByFolder = Map<string, Set<string>>

/**
 * The files of every shard in which a tool may have been killed in one of the stages that write: not done yet, not at the
 * first attempt, or not all of it. Memory grows with the files of those shards.
 *
 * @param lists the stage that has the lists of all of them
 */
export async function namesAtRisk(
  paths: RunPaths,
  lists: Step,
  writing: readonly Step[] = [lists],
): Promise<NamesByFolder> {
  const found: NamesByFolder = new Map()
  for (const { id } of lists.shards) {
    const states = await Promise.all(
      writing.map((step) => readShard(paths.stage(step), id, step.transfer.attempts)),
    )
    if (states.some(isAtRisk)) await addNames(path.join(paths.shards(lists), `${id}.expect`), found)
  }
  return found
}

function isAtRisk(state: ShardState): boolean {
  const isUntouched = state.at === 'open' && state.attempts === 0
  const isClean =
    state.at === 'over' && state.mark.result === 'done' && state.mark.attempt === 1 && state.mark.failed === 0
  return !isUntouched && !isClean
}

async function addNames(expect: string, found: NamesByFolder): Promise<void> {
  let rest = ''
  const add = (record: string): void => {
    const [, file] = /^[fF] \S+ \S+ \.\/(.+)$/s.exec(record) ?? []
    if (file === undefined) return
    const cut = file.lastIndexOf('/')
    const folder = cut < 0 ? '.' : `./${file.slice(0, cut)}`
    const names = found.get(folder) ?? new Set()
    names.add(file.slice(cut + 1))
    found.set(folder, names)
  }
  try {
    for await (const chunk of createReadStream(expect) as AsyncIterable<Buffer>) {
      const records = (rest + chunk.toString('latin1')).split('\0')
      rest = records.pop() ?? ''
      records.forEach(add)
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/**
 * Half files of these names below `root`, a disk's or a server's. What the source has under such a name is no half file
 * but a delivered one, so the manifest is asked. Fails SX341 when the place can not be looked at, and SX322.
 */
export async function findHalfFiles(
  root: Location,
  names: NamesByFolder,
  manifestPath: string,
  context: LeftoverContext,
): Promise<Result<readonly HalfFile[]>> {
  const argv = leftoverCommand(root, 'look')
  if (argv === undefined || names.size === 0) return ok([])
  const folders = [...names.keys()].flatMap((folder) => [folder, `${folder}/${PARTIAL_FOLDER}`])
  const chunks: Buffer[] = []
  // 123: xargs says so when find could not look into a folder, because nothing has been copied there yet.
  const part = { argv, input: nulls(folders), partialCode: 123, readError: (line: string) => line }
  const { broken } = await runListings([part], {
    ...context,
    atOnce: 1,
    onChunk(chunk) {
      chunks.push(Buffer.from(chunk))
      return undefined
    },
  })
  // 1: there is no such destination, so that nothing lies in it.
  if (broken !== undefined && broken.exitCode !== 1) return cannotLook(root, broken.errors.lines.at(-1))
  const found = Buffer.concat(chunks)
    .toString('latin1')
    .split('\0')
    .flatMap((record) => halfFile(record, names, context.since))
  const listed = await listedAmong(manifestPath, new Set(found.map(({ path: file }) => file)))
  return listed.ok ? ok(found.filter(({ path: file }) => !listed.value.has(file))) : listed
}

function cannotLook(root: Location, why: string | undefined): ReturnType<typeof failWith> {
  return failWith(
    'SX341',
    `cannot look for what was left behind in ${placeText(root)}`,
    'See that it can be reached, then clean again.',
    why,
  )
}

/** Whether rsync keeps it to go on with. */
export function isKeptPart({ path: file }: HalfFile): boolean {
  return path.posix.basename(path.posix.dirname(file)) === PARTIAL_FOLDER
}

/** Nobody's but this run's: of the right form, of a name in its lists, and not older than it. */
function halfFile(record: string, names: NamesByFolder, since: Date): readonly HalfFile[] {
  const [, size, ctime, file] = /^(\d+) (-?\d+)\S* (\.\/.+)$/s.exec(record) ?? []
  if (file === undefined || Number(ctime) < since.getTime() / 1000 - SLACK_SECONDS) return []
  const cut = file.lastIndexOf('/')
  const [folder, name] = [file.slice(0, cut), file.slice(cut + 1)]
  const isKept = folder.endsWith(`/${PARTIAL_FOLDER}`)
  const known = names.get(isKept ? folder.slice(0, -PARTIAL_FOLDER.length - 1) : folder) ?? new Set()
  const isOurs = isKept ? known.has(name) : finalNameOf(name, known) !== undefined
  return isOurs ? [{ path: file, sizeBytes: Number(size) }] : []
}

/** Removes them, and the folders that rsync kept them in where those are empty then. Fails SX342. */
export async function removeHalfFiles(
  root: Location,
  files: readonly HalfFile[],
  context: LeftoverContext,
): Promise<Result<undefined>> {
  const folders = files.filter(isKeptPart).map(({ path: file }) => path.posix.dirname(file))
  const steps = [
    ['remove', files.map(({ path: file }) => file)],
    ['removeFolders', [...new Set(folders)]],
  ] as const
  for (const [program, paths] of steps) {
    const argv = leftoverCommand(root, program)
    if (argv === undefined || paths.length === 0) continue
    const part = { argv, input: nulls(paths), partialCode: 123, readError: (line: string) => line }
    const { broken, errors } = await runListings([part], { ...context, atOnce: 1, onChunk: () => undefined })
    if (broken !== undefined || errors.count > 0)
      return failWith(
        'SX342',
        `not everything that was left behind in ${placeText(root)} could be removed`,
        'Mend what the message says, then clean again.',
        errors.lines[0] ?? broken?.errors.lines[0],
      )
  }
  return ok(undefined)
}

function nulls(paths: readonly string[]): Buffer {
  return Buffer.from(paths.map((one) => `${one}\0`).join(''), 'latin1')
}
