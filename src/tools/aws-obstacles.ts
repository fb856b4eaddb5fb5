/** What keeps aws from a source that it could reach: it takes whole prefixes, and must take nothing that the preview does not show. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import type { Named } from '../inventory/summary.ts'
import { printable } from '../inventory/printable.ts'
import type { Location } from '../plan/plan.ts'
import type { TransferName } from '../units.ts'
import { prefixes } from './aws.ts'

/** Names that are left out one by one: each is a pattern on the command line, and all of them are known by name. */
const LEFT_OUT_MAX = 100

export interface AwsSource {
  readonly name: TransferName
  readonly root: Location
  /** What the plan can not deliver, and aws would carry all the same. */
  readonly refused: Named
  /** Places that could not be listed. */
  readonly unread: number
}

/** Fails SX408. */
export function checkAwsSource({ name, root, refused, unread }: AwsSource): Result<undefined> {
  const rather =
    'Write `tool: rclone`, which is told every name, or leave the choice to soxplan with `tool: auto`.'
  if (unread > 0)
    return failWith(
      'SX408',
      `transfer ${name}: ${unread === 1 ? 'one place' : `${unread} places`} of the source could not be listed, and aws would carry what is in there unseen`,
      rather,
    )
  if (refused.count > LEFT_OUT_MAX)
    return failWith(
      'SX408',
      `transfer ${name}: ${refused.count} entries are refused, and aws can leave out ${LEFT_OUT_MAX} at most`,
      rather,
      'It takes whole prefixes; what is to stay behind is named one by one.',
    )
  const hidden = refused.named.find(({ path }) => !prefixes.opens(root, folderOf(path)))
  if (hidden === undefined) return ok(undefined)
  return failWith(
    'SX408',
    `transfer ${name}: aws can not leave out ${printable(hidden.path)}, which is refused: ${hidden.reason}`,
    rather,
    'Below a folder with `[` in its name its patterns do not mean what they say.',
  )
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
