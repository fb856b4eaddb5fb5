/** The versions of rclone that the tests run with. */

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { unpackedFolder } from '../../scripts/unpacked.js'
import { findProgram } from './available.ts'

export interface RcloneVersion {
  /** `installed` is this machine's own, in Debian 12 and 13 the old 1.60; `newest` is Debian's newest, 1.75 or later. */
  readonly name: 'installed' | 'newest'
  /** Its full path, where it would be if it is not there. */
  readonly program: string
  /** For `describe.skipIf(!rclone.available)`. */
  readonly available: boolean
}

/** Both, there or not, for `describe.each` or a loop. Prints the reason for one that is not there. */
export function rcloneVersions(): readonly [RcloneVersion, RcloneVersion] {
  const newest = join(unpackedFolder('rclone'), 'usr', 'bin', 'rclone')
  return [
    version('installed', findProgram('rclone') ?? 'rclone', 'no rclone on PATH'),
    version(
      'newest',
      newest,
      'the newest rclone is not fetched; `npm test` does it where apt reaches Debian',
    ),
  ]
}

function version(name: RcloneVersion['name'], program: string, reason: string): RcloneVersion {
  try {
    accessSync(program, constants.X_OK)
    return { name, program, available: true }
  } catch {
    console.warn(`skipped: ${reason}`)
    return { name, program, available: false }
  }
}
