/** How rclone keeps symlinks where there are none: as `NAME.rclonelink`, a file that holds what the link leads to. */

import type { Location, Transfer } from '../plan/plan.ts'
import { decodeRcloneName, encodeRcloneName } from './rclone-names.ts'

/** Behind the name of a symlink. */
export const linkSuffix = Buffer.from('.rclonelink')

/** rclone makes files of symlinks, or symlinks of files: between a disk and a remote, for a plan that says so. */
export function translatesLinks({ symlinks }: Transfer, from: Location, to: Location): boolean {
  const [one, other] = from.kind === 'local' ? [from, to] : [to, from]
  return symlinks === 'keep' && one.kind === 'local' && (other.kind === 's3' || other.kind === 'rclone')
}

/** Which way it goes then; `no`: links are nothing to rclone, or links. */
export function linkWay(transfer: Transfer, from: Location, to: Location): 'as-files' | 'from-files' | 'no' {
  if (!translatesLinks(transfer, from, to)) return 'no'
  return from.kind === 'local' ? 'as-files' : 'from-files'
}

/** The name of the file that stands for a symlink. */
export function linkFileName(path: Uint8Array): Uint8Array {
  return Buffer.concat([path, linkSuffix])
}

/** The last name of the path means a symlink to an rclone that translates them, whatever it is. */
export function isLinkFileName(path: Uint8Array): boolean {
  if (path.length < linkSuffix.length) return false
  return linkSuffix.equals(path.subarray(path.length - linkSuffix.length))
}

/** The symlink that a file of this name stands for, as text; undefined where it is an ordinary file. */
export function linkOfFileName(path: string): string | undefined {
  const link = path.slice(0, -linkSuffix.length)
  return path.endsWith(linkSuffix.toString()) && link !== '' && !link.endsWith('/') ? link : undefined
}

/** A few names of one or two dots in other widths are spelt in another way with something behind them. */
export function isLinkName(path: Uint8Array, isOnDisk: boolean): boolean {
  const change = isOnDisk ? encodeRcloneName : decodeRcloneName
  return Buffer.compare(change(linkFileName(path)), linkFileName(change(path))) === 0
}
