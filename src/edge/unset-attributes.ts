/** What a fixup could not set: how many entries, and the first of them, per attribute. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { attributes, type Attribute } from '../plan/plan.ts'
import type { Progress } from '../run/progress.ts'
import type { TransferName } from '../units.ts'
import { isErrno } from './files.ts'
import type { RunPaths } from './run-folder.ts'

/** Names kept of each attribute. */
const NAMES_KEPT = 3

export interface UnsetAttribute {
  readonly attribute: Attribute
  readonly count: number
  /** Latin1 text of raw bytes. */
  readonly first: readonly string[]
}

/** By transfer, in the order in which the plan file names attributes. Marks of the shards say which attempt counts. */
export async function collectUnset(
  paths: RunPaths,
  { steps }: Progress,
): Promise<ReadonlyMap<TransferName, readonly UnsetAttribute[]>> {
  const found = new Map<TransferName, Map<Attribute, { count: number; first: string[] }>>()
  for (const { step, marks } of steps) {
    if (step.stage !== 'fixup' && step.stage !== 'directories') continue
    const ofTransfer =
      found.get(step.transfer.name) ?? new Map<Attribute, { count: number; first: string[] }>()
    found.set(step.transfer.name, ofTransfer)
    for (const { shard, attempt } of marks) {
      const file = path.join(paths.stage(step), 'work', shard, `${attempt}.unset`)
      for (const [attribute, { count, first }] of parseUnset(await contentOf(file))) {
        const sum = ofTransfer.get(attribute) ?? { count: 0, first: [] }
        sum.count += count
        sum.first.push(...first.slice(0, NAMES_KEPT - sum.first.length))
        ofTransfer.set(attribute, sum)
      }
    }
  }
  return new Map(
    [...found].map(([name, sums]) => [
      name,
      attributes.flatMap((attribute) => {
        const sum = sums.get(attribute)
        return sum === undefined ? [] : [{ attribute, ...sum }]
      }),
    ]),
  )
}

/** The records of `N.unset`: `ATTRIBUTE COUNT ./PATH`, NUL-terminated, of which each attribute has a few with one count. */
function parseUnset(content: Buffer): ReadonlyMap<Attribute, { count: number; first: string[] }> {
  const found = new Map<Attribute, { count: number; first: string[] }>()
  for (const record of content.toString('latin1').split('\0')) {
    const [, word, count = '', name = ''] = /^(\w+) (\d{1,15}) (?:\.\/)?([^]+)$/.exec(record) ?? []
    const attribute = attributes.find((one) => one === word)
    if (attribute === undefined) continue
    const sum = found.get(attribute) ?? { count: Number(count), first: [] }
    sum.first.push(name)
    found.set(attribute, sum)
  }
  return found
}

async function contentOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return Buffer.alloc(0)
    throw error
  }
}
