/** How the destination of a transfer spells what its source has. */

import type { Survey } from '../edge/survey.ts'
import { namesAreBytes } from '../plan/plan.ts'
import { decodeRcloneName, encodeRcloneName } from '../tools/rclone-names.ts'

/** Remotes are spoken to in rclone's names, disks in raw bytes; between two of a kind a path stays as it is. */
export function destinationNaming({
  sourceRoot,
  destinationRoot,
}: Pick<Survey, 'sourceRoot' | 'destinationRoot'>): ((path: Uint8Array) => Uint8Array) | undefined {
  if (namesAreBytes(sourceRoot) === namesAreBytes(destinationRoot)) return undefined
  return namesAreBytes(sourceRoot) ? encodeRcloneName : decodeRcloneName
}
