/** rsync: carries small files between disks faster than rclone, and keeps hard links, owners and permissions. */

import type { Location } from '../plan/plan.ts'
import { optionFlags, optionFloors } from './options.ts'
import { highest, type CopyCommand, type CopyContext, type LogClass, type Tool } from './tool.ts'

/** `--info=progress2` and `--outbuf` came with 3.1. */
export const rsyncFloor = { major: 3, minor: 1 }

/** Calls side by side in one worker, where it has so many processors: each call keeps about one of them busy. */
const CALLS_AT_ONCE = 8

/** Every entry is named, its directories are there already, and their times come last. */
const listed = ['--no-implied-dirs', '--omit-dir-times']

function copyCommand(context: CopyContext): CopyCommand {
  const { transfer, version, source, destination, bandwidthPerWorker, hasHardLinks } = context
  const [from, to] = [source.root.path, destination.root.path]
  const single =
    source.name === undefined || destination.name === undefined
      ? undefined
      : { source: closed(from) + source.name, destination: closed(to) + destination.name }
  return {
    program: context.program ?? 'rsync',
    args: [
      // As --archive, but for recursion: the list names every entry. Devices and sockets are in no list.
      '--links',
      '--perms',
      '--times',
      '--owner',
      '--group',
      '--numeric-ids',
      ...(hasHardLinks ? ['--hard-links'] : []),
      ...(transfer.symlinks === 'follow' ? ['--copy-links'] : []),
      ...(single === undefined ? [...(hasHardLinks ? ['--from0'] : ['--relative']), ...listed] : []),
      '--no-human-readable',
      '--info=progress2,nonreg1',
      ...(transfer.compare === 'checksum' ? ['--checksum'] : []),
      ...(transfer.existing === 'keep' || transfer.existing === 'error' ? ['--ignore-existing'] : []),
      ...(transfer.existing === 'keep-newer' ? ['--update'] : []),
      ...(bandwidthPerWorker === undefined
        ? []
        : [`--bwlimit=${Math.max(1, Math.floor(bandwidthPerWorker / 1024))}`]),
      ...optionFlags(transfer, version),
    ],
    argsAsRoot: [],
    // It reads such a file byte by byte, two system calls for each: a third of its time with small files (3.5.0). Only
    // hard links need all names in one call.
    ...(hasHardLinks ? { listFlag: '--files-from' } : {}),
    // One rsync writes one file after another; several keep a file system on the network busy. A limit is of one rsync.
    callsAtOnce: hasHardLinks || bandwidthPerWorker !== undefined ? 1 : CALLS_AT_ONCE,
    source: closed(from),
    destination: closed(to),
    ...(single === undefined ? {} : { single }),
    setsModes: true,
    writesInPlace: false,
    needs: highest([rsyncFloor, ...optionFloors(transfer, version)]),
  }
}

function closed(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

/** NUL-separated bytes; `./` in front, because rsync takes `#…` and `;…` for comments even with `--from0`. */
function listEntry(path: Uint8Array): Uint8Array {
  const entry = new Uint8Array(path.length + 3)
  entry.set([0x2e, 0x2f])
  entry.set(path, 2)
  return entry
}

/** From `--info=progress2`: bytes, percent, rate, time. */
function progress(logTail: string): number | undefined {
  const last = [...logTail.matchAll(/(?:^|[\r\n])\s*(\d+)\s+\d+%\s/g)].at(-1)?.[1]
  return last === undefined ? undefined : Number(last)
}

const causes: readonly (readonly [LogClass, RegExp])[] = [
  ['usage', /unknown option|syntax or usage error/],
  ['no-space', /No space left|quota exceeded/i],
  ['denied', /Permission denied|Operation not permitted|Read-only file system/],
  ['changed', /file has vanished|failed verification/],
  ['unreachable', /connection unexpectedly closed|Connection (?:refused|reset|timed out)|No route to host/],
]

function classifyLog(logTail: string): LogClass {
  return causes.find(([, pattern]) => pattern.test(logTail))?.[0] ?? 'unknown'
}

function carries(from: Location, to: Location): boolean {
  return from.kind === 'local' && to.kind === 'local'
}

export const rsync: Tool = {
  name: 'rsync',
  carries,
  leavesSymlinks: false,
  copyCommand,
  listEntry,
  progress,
  classifyLog,
}
