/** What the last stage of a fixup walks: the directories that the work touched, and the destination itself. */

import path from 'node:path'
import type { DirectoryTree } from '../inventory/tree.ts'
import { touchedDirectories } from '../shard/touched.ts'
import { writeAtomic } from './files.ts'
import type { PathCodec } from './shard-paths.ts'

export interface DirectoryListOptions {
  readonly tree: DirectoryTree
  /** Every directory, not only those that the work touched. */
  readonly all: boolean
  /** A path as the destination shows it; absent: the same bytes as at the source. */
  readonly destinationName: PathCodec | undefined
}

/** Writes `ID.expect`: `d - - ./PATH` for each, and `d - - .` for the destination. Throws what the file system says. */
export async function writeDirectoryList(
  folder: string,
  id: string,
  { tree, all, destinationName }: DirectoryListOptions,
): Promise<void> {
  const names = touchedDirectories(tree, all).map((row) => {
    const name = Buffer.from(tree.path(row), 'latin1')
    return Buffer.from(destinationName?.(name) ?? name).toString('latin1')
  })
  const records = ['d - - .\0', ...names.sort().map((name) => `d - - ./${name}\0`)]
  await writeAtomic(path.join(folder, `${id}.expect`), Buffer.from(records.join(''), 'latin1'))
}
