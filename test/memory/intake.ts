/** Takes an imagined listing in as a survey would. */

import { lookAtNothing } from '../../src/edge/look-destination.ts'
import { createManifestWriter } from '../../src/edge/manifest-file.ts'
import { createIntake } from '../../src/edge/survey-intake.ts'
import { createTree, type TreeBuilder } from '../../src/inventory/directories.ts'
import type { Result } from '../../src/diagnostic.ts'

export function must<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(result.error.map(({ what }) => what).join('\n'))
  return result.value
}

/** Writes the manifest of a source whose files are all to be copied, and returns its directories. */
export async function takeIn(chunks: Iterable<Buffer>, manifestPath: string): Promise<TreeBuilder> {
  const tree = createTree()
  const writer = createManifestWriter(manifestPath)
  const intake = createIntake({
    tree,
    writer,
    look: lookAtNothing(),
    policy: {
      existing: 'update',
      comparison: 'size+mtime',
      proveAll: false,
      symlinks: 'keep',
      destination: 'local',
    },
    filter: undefined,
    rcloneCarries: false,
    awsCarries: false,
    translatesLinks: false,
    sourceRoot: { kind: 'local', path: '/from' },
    destinationRoot: { kind: 'local', path: '/to' },
  })
  for (const chunk of chunks) await intake.push(chunk)
  must(await intake.end())
  must(await writer.close())
  return tree
}

/** Resident memory of this process at its peak, MiB. */
export function peakMiB(status: string): number {
  return Math.ceil(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}
