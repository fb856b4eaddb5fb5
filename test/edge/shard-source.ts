/** A source of test entries with a manifest on disk, planned and listed as the planner's caller does it. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Result } from '../../src/diagnostic.ts'
import { writeShardLists, type ShardListsOptions } from '../../src/edge/shard-lists.ts'
import { planShards } from '../../src/edge/shard-plan.ts'
import type { TreeBuilder } from '../../src/inventory/directories.ts'
import { manifestHead } from '../../src/inventory/manifest.ts'
import type { ShardPlan } from '../../src/shard/finish.ts'
import { policy, recordsOf, treeOf, type TestEntry } from '../shard/entries.ts'

export interface PlannedSource {
  readonly tree: TreeBuilder
  readonly plan: ShardPlan
  readonly manifestPath: string
  readonly folder: string
}

/** Writes the manifest into `base` and plans so many shards. */
export async function plannedSource(
  base: string,
  entries: readonly TestEntry[],
  shards: number,
): Promise<PlannedSource> {
  const manifestPath = join(base, 'code.gz')
  const folder = join(base, 'shards')
  await writeFile(manifestPath, gzipSync(Buffer.concat([manifestHead, recordsOf(entries)])))
  await mkdir(folder)
  const tree = treeOf(entries)
  const planned = await planShards({ tree, manifestPath, policy: policy(shards) })
  if (!planned.ok) throw new Error(planned.error.map(({ what }) => what).join('\n'))
  return { tree, plan: planned.value, manifestPath, folder }
}

/** rsync's list entries and a destination that keeps names, unless told otherwise. */
export function writeLists(
  source: PlannedSource,
  options: Partial<ShardListsOptions> = {},
): Promise<Result<{ entries: number }>> {
  return writeShardLists({
    ...source,
    listEntry: (path) => Buffer.concat([Buffer.from('./'), path, Buffer.from('\0')]),
    proof: 'size+mtime',
    links: 'list',
    ...options,
  })
}

/** Every file of a folder as text with one character per byte, by name. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort()
  const contents: Record<string, string> = {}
  for (const name of names) contents[name] = await readFile(join(folder, name), 'latin1')
  return contents
}

/** One record of an `.expect` file. */
export interface ExpectRecord {
  readonly kind: string
  readonly size: number
  readonly path: string
}

export function records(text = ''): ExpectRecord[] {
  return text
    .split('\0')
    .slice(0, -1)
    .map((record) => {
      const [, kind = '', size = '', path = ''] = /^(.) (\S+) \S+ \.\/(.*?)(\/\/.*)?$/s.exec(record) ?? []
      return { kind, size: Number(size) || 0, path }
    })
}

/** The directories an entry stands in or is. */
export function directoriesOf({ kind, path }: ExpectRecord): string[] {
  const names = path.split('/')
  return names.map((_, depth) => names.slice(0, depth + 1).join('/')).slice(0, kind === 'd' ? undefined : -1)
}
