/** rsync: carries small files between disks faster than rclone, and keeps hard links, owners and permissions. */

import { namesAreBytes, type Location } from '../plan/plan.ts'
import { PARTIAL_FOLDER } from './leftovers.ts'
import { optionFlags, optionFloors } from './options.ts'
import { sshOptions, sshPath } from './ssh.ts'
import { highest, type CopyCommand, type CopyContext, type LogClass, type Tool } from './tool.ts'

/** `--info=progress2` and `--outbuf` came with 3.1. */
export const rsyncFloor = { major: 3, minor: 1 }

/** Calls side by side in one worker, where it has so many processors: each call keeps about one of them busy. */
const CALLS_AT_ONCE = 8

/** Every entry is named, its directories are there already, and their times come last. */
const listed = ['--no-implied-dirs', '--omit-dir-times']

function copyCommand(context: CopyContext): CopyCommand {
  const { transfer, version, source, destination, bandwidthPerWorker, hasHardLinks } = context
  const [from, to] = [rsyncPlace(source.root), rsyncPlace(destination.root)]
  const server = [source.root, destination.root].find(({ kind }) => kind === 'ssh')
  const needsList = hasHardLinks || server !== undefined
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
      ...(single === undefined ? [...(needsList ? ['--from0'] : ['--relative']), ...listed] : []),
      // What broke off is gone on with, in a folder of its own, because a half file must not have its final name.
      ...(server === undefined ? [] : [...overSsh(server), `--partial-dir=${PARTIAL_FOLDER}`]),
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
    // It reads such a file byte by byte, two system calls for each: a third of its time with small files (3.5.0). But
    // hard links need all names in one call, and a server's names can not stand among its arguments.
    ...(needsList ? { listFlag: '--files-from' } : {}),
    // One rsync writes one file after another; several keep a file system on the network busy. A limit is of one rsync.
    callsAtOnce: needsList || bandwidthPerWorker !== undefined ? 1 : CALLS_AT_ONCE,
    source: closed(from),
    destination: closed(to),
    ...(single === undefined ? {} : { single }),
    setsModes: true,
    writesInPlace: false,
    needs: highest([rsyncFloor, ...optionFloors(transfer, version)]),
  }
}

/** `host:path` on a server; the user stands among the options of ssh. */
export function rsyncPlace(location: Location): string {
  if (location.kind !== 'ssh') return location.path
  const { host } = location.server
  return `${host.includes(':') ? `[${host}]` : host}:${sshPath(location)}`
}

/** How a server is reached; nothing for a disk. */
export function overSsh(location: Location): readonly string[] {
  if (location.kind !== 'ssh') return []
  return [
    `--rsh=${sshOptions(location.server).map(rshWord).join(' ')}`,
    // The path there is not for the login shell to read.
    '--protect-args',
    `--timeout=${SILENCE_SECONDS}`,
  ]
}

/** Of silence, after which the connection counts as dead. */
const SILENCE_SECONDS = 300

/** rsync splits this line itself: at spaces, but not between quotes, which are doubled inside (`man rsync`, --rsh). */
function rshWord(word: string): string {
  return /[\s'"]/.test(word) ? `'${word.replaceAll("'", "''")}'` : word
}

/** With a slash at the end: what is in it, not the folder itself. */
export function closed(path: string): string {
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

/** Between disks, and between a disk and a server that has an rsync. */
function carries(from: Location, to: Location): boolean {
  const isServer = ({ kind }: Location): boolean => kind === 'ssh'
  return (
    namesAreBytes(from) &&
    namesAreBytes(to) &&
    !(isServer(from) && isServer(to)) &&
    [from, to].every((location) => location.kind !== 'ssh' || location.rsync !== undefined)
  )
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
