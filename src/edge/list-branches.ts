/** Lists a local directory with several finds at once: its upper levels first, then what lies below their directories. */

import { availableParallelism } from 'node:os'
import { kindBytes } from '../inventory/entry.ts'
import { createScanner } from '../inventory/scan.ts'
import { pathText } from '../inventory/summary.ts'
import { joinErrors, runListings, type Listed, type ListingPart } from './listing-queue.ts'
import type { Argv } from './process.ts'
import type { ListingRequest } from './survey-process.ts'

/** Fewer directories than this are not shared out yet, but listed one level deeper: one of them may hold nearly everything. */
const BRANCHES_MIN = 64
/** So many levels are listed by themselves at most: a tree that is narrow for longer has its breadth far down. */
const LEVELS_MAX = 3

/**
 * The finds for one level. The number depends on the tree alone, so that the order of a listing is the same on every
 * machine: two for each of four at once even out what lies below. Each takes this process 6 ms to start.
 */
const BATCHES_MAX = 8
const BATCH_BRANCHES_MIN = 16
/** Bytes of names for one find: Linux takes 128 KiB of arguments whatever its limits are. */
const BATCH_BYTES_MAX = 64 * 1024

/**
 * At once. Two even on one processor: a file system on the network makes find wait, and where it does not that costs a
 * tenth. Four outrun the planner.
 */
const atOnce = Math.max(2, Math.min(4, availableParallelism()))

/** Names that find takes for a part of its expression when they stand first in an argument. */
const misreadName = /^(?:-.|[(),!]$)/s

export interface Branching extends Pick<ListingRequest, 'env' | 'signal' | 'onChunk'> {
  /** Absolute path of a directory, with a closing slash. */
  readonly root: string
  /** Lists the uppermost level. */
  readonly top: ListingPart
  /** xargs, and what it is run by, such as stdbuf. */
  readonly xargs: Argv
  /** The fields of a record in front of the path, as find's -printf takes them. */
  readonly fields: string
}

/** A directory whose content is still to be listed. */
interface Branch {
  /** Below the root, latin1. */
  readonly path: string
  /** Its own size: most file systems make it grow with the number of names. */
  readonly sizeBytes: number
}

/**
 * Groups neighbours, so that no group has much more than its share of directories or of their sizes. The largest come
 * first, since what is started last is waited for. A name that find would misread has a group of its own.
 */
function batchesOf(branches: readonly Branch[]): readonly (readonly Branch[])[] {
  const bytes = branches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 1)
  const share = 2 / Math.min(BATCHES_MAX, Math.ceil(branches.length / BATCH_BRANCHES_MIN))
  const batches: { branches: Branch[]; weight: number; sizeBytes: number; nameBytes: number }[] = []
  let open: (typeof batches)[number] | undefined
  for (const branch of branches) {
    const isMisread = misreadName.test(branch.path)
    const weight = 1 / branches.length + branch.sizeBytes / bytes
    if (
      isMisread ||
      open === undefined ||
      open.weight + weight / 2 > share ||
      open.nameBytes > BATCH_BYTES_MAX
    ) {
      open = { branches: [], weight: 0, sizeBytes: 0, nameBytes: 0 }
      batches.push(open)
    }
    open.branches.push(branch)
    open.weight += weight
    open.sizeBytes += branch.sizeBytes
    open.nameBytes += branch.path.length + 1
    if (isMisread) open = undefined
  }
  return batches.sort((one, other) => other.sizeBytes - one.sizeBytes).map((batch) => batch.branches)
}

/** As GNU find writes a name between quotes in its messages under LC_ALL=C. */
function asFindQuotes(path: string): string {
  const quoted = Array.from(Buffer.from(path), (byte) => {
    const character = String.fromCharCode(byte)
    if (character === "'" || character === '\\') return `\\${character}`
    if (byte >= 0x20 && byte < 0x7f) return character
    return `\\${'abtnvfr'[byte - 7] ?? byte.toString(8).padStart(3, '0')}`
  })
  return quoted.join('')
}

/**
 * The find for a batch. Names are any bytes, which Node can not pass as arguments: xargs reads all arguments of the
 * one find that it starts. Paths come out as if the root had been the starting point.
 */
function partOf(batch: readonly Branch[], levels: readonly string[], branching: Branching): ListingPart {
  const { fields, root, xargs } = branching
  const [first] = batch
  const misread = first !== undefined && misreadName.test(first.path) ? first.path : undefined
  const starts = misread === undefined ? batch.map(({ path }) => path) : [`./${misread}`]
  const path = misread === undefined ? '%p' : `${misread.replace(/[%\\]/g, '$&$&')}/%P`
  const rootInMessages = asFindQuotes(root)
  const words = [...starts, '-mindepth', '1', ...levels, '-printf', `${fields} ${path}\\0%l\\0`]
  // -x has a meaning only beside -n: to fail rather than to start two finds, of which the first has no -printf.
  return {
    argv: [...xargs, '-0', '-x', '-n', '100000', 'find', '-P'],
    cwd: root,
    partialCode: 123,
    input: Buffer.from(`${words.join('\0')}\0`, 'latin1'),
    readError: (line) => line.replace(/^\S*find: /, '').replace(/^'(\.\/)?/, () => `'${rootInMessages}`),
  }
}

/** The one that has more names than all others together, if any has: the whole level would wait for it. */
function broadest(branches: readonly Branch[]): Branch | undefined {
  const bytes = branches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return branches.length < 2 ? undefined : branches.find(({ sizeBytes }) => sizeBytes > bytes / 2)
}

/** Runs listings and notes the directories that are to be listed behind them. */
class Levels {
  readonly errors: Listed['errors'][] = []
  /** Where the listing can not go on: nothing behind it is of use. */
  broken: Listed | undefined
  private readonly branching: Branching

  constructor(branching: Branching) {
    this.branching = branching
  }

  /** Shows what the parts list; returns the directories that stand in the listings of `open`, none once it is broken. */
  async list(
    parts: readonly ListingPart[],
    open: readonly ListingPart[] = parts,
  ): Promise<readonly Branch[]> {
    const { env, onChunk, signal } = this.branching
    const branches: Branch[] = []
    const scanner = createScanner('listing', (view) => {
      if (view.kindByte === kindBytes.directory) branches.push({ path: pathText(view), sizeBytes: view.size })
    })
    const listed = await runListings(parts, {
      env,
      signal,
      atOnce,
      onChunk(chunk, part) {
        if (open.includes(part)) scanner.push(chunk)
        return onChunk(chunk)
      },
    })
    this.errors.push(listed.errors)
    if (listed.broken === undefined && scanner.end() === undefined) return branches
    this.broken = listed
    return []
  }
}

/**
 * Streams every entry below the root once, in an order that depends on the tree alone: level by level where there are
 * few directories, and then branch by branch. A directory that outweighs its level is listed beside the branches, and
 * what is below it behind them.
 */
export async function listBranches(branching: Branching): Promise<Listed> {
  const levels = new Levels(branching)
  const wholly = (branches: readonly Branch[]): readonly ListingPart[] =>
    batchesOf(branches).map((batch) => partOf(batch, [], branching))
  const oneLevel = (batch: readonly Branch[]): ListingPart => partOf(batch, ['-maxdepth', '1'], branching)

  const top = await levels.list([branching.top])
  const misread = top.filter(({ path }) => misreadName.test(path))
  const broad: Branch[] = []
  let branches = top.filter(({ path }) => !misreadName.test(path))
  for (let above = 1; above < LEVELS_MAX && branches.length > 0 && branches.length < BRANCHES_MIN; above++) {
    const aside = broadest(branches)
    if (aside !== undefined) broad.push(aside)
    const narrow = branches.filter((branch) => branch !== aside)
    branches = [...(await levels.list(batchesOf(narrow).map(oneLevel)))]
  }
  const open = broad.map((branch) => oneLevel([branch]))
  if (levels.broken === undefined)
    branches = [...(await levels.list([...open, ...wholly([...misread, ...branches])], open))]
  if (levels.broken === undefined) await levels.list(wholly(branches), [])
  return levels.broken ?? { errors: joinErrors(levels.errors), broken: undefined }
}
