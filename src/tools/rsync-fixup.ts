/** rsync as a fixup: it sets attributes of what is there, and can write no content. */

import type { Attribute, Fixup, Transfer } from '../plan/plan.ts'
import { closed, overSsh, rsyncFloor, rsyncPlace } from './rsync.ts'
import type { TransferEnd, VersionFloor } from './tool.ts'

/** The parts of one argv. The worker adds a list, or both names of a single file. */
export interface FixupCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly source: string
  readonly destination: string
  readonly single?: { readonly source: string; readonly destination: string }
  readonly needs: VersionFloor
}

export interface FixupContext {
  readonly transfer: Pick<Transfer, 'symlinks'>
  readonly fixup: Fixup
  /** Where attributes are read, which need not be where the copy is from. */
  readonly source: TransferEnd
  readonly destination: TransferEnd
  /** The plan's `tools.rsync.path`. */
  readonly program?: string
}

/** rsync's flag for each. Hard links are made by the worker: with `--hard-links` rsync writes over files of the same size (3.2.7). */
const flags: Readonly<Record<Attribute, string | undefined>> = {
  owner: '--owner',
  group: '--group',
  permissions: '--perms',
  times: '--times',
  acls: '--acls',
  xattrs: '--xattrs',
  hardlinks: undefined,
}

/**
 * A file whose size differs is left to nobody: rsync would have to write it, and can make no temporary file in /proc. So not
 * even one that changes its size in the last moment is written over.
 */
const contentless = ['--existing', '--size-only', '--temp-dir=/proc']

export function fixupCommand({ transfer, fixup, source, destination, program }: FixupContext): FixupCommand {
  const [from, to] = [rsyncPlace(source.root), rsyncPlace(destination.root)]
  return {
    program: program ?? 'rsync',
    args: [
      ...contentless,
      '--links',
      ...(transfer.symlinks === 'follow' ? ['--copy-links'] : []),
      ...fixup.preserve.flatMap((attribute) => flags[attribute] ?? []),
      ...(fixup.owners === 'ids' ? ['--numeric-ids'] : []),
      '--from0',
      '--no-implied-dirs',
      ...[source.root, destination.root].flatMap(overSsh),
    ],
    source: closed(from),
    destination: closed(to),
    ...(source.name === undefined || destination.name === undefined
      ? {}
      : { single: { source: closed(from) + source.name, destination: closed(to) + destination.name } }),
    needs: rsyncFloor,
  }
}
