/** Sources made of a few words each, planned the way the planner does it but without a disk. */

import { createTree, type TreeBuilder } from '../../src/inventory/directories.ts'
import { kindBytes, type RecordView } from '../../src/inventory/entry.ts'
import { createScanner } from '../../src/inventory/scan.ts'
import type { ShardPlan } from '../../src/shard/finish.ts'
import { planByTally, planByTotals, startTally } from '../../src/shard/planner.ts'
import type { ShardPolicy } from '../../src/shard/shard.ts'
import { manifestRecords } from '../inventory/records.ts'

export interface TestEntry {
  /** One character per raw byte. */
  readonly path: string
  readonly kind?: 'f' | 'd' | 'l' | 's'
  readonly size?: number
  readonly fate?: string
  readonly inode?: number
  readonly links?: number
  readonly target?: string
}

export function file(path: string, size = 0): TestEntry {
  return { path, size }
}

export function directory(path: string): TestEntry {
  return { path, kind: 'd' }
}

/** One of several names of an inode. */
export function hardLink(path: string, inode: number, size = 0): TestEntry {
  return { path, size, inode, links: 2 }
}

/** One byte is one second and a file costs as much as a thousandth: what a test says is what it costs. */
export function policy(shards: number, cost = { secondsPerByte: 1, secondsPerFile: 0.001 }): ShardPolicy {
  return { cost, workers: shards, shardsPerWorker: 1, shardSecondsMin: 0 }
}

/** The records of a manifest, without its head. */
export function recordsOf(entries: readonly TestEntry[]): Buffer {
  const records = entries.map((entry, index) => {
    const {
      path,
      kind = 'f',
      size = 0,
      fate = '+',
      inode = index + 1_000_000,
      links = 1,
      target = '',
    } = entry
    return `${fate}${kind} ${size} 1700000000.1234567890 2049 ${inode} ${links} 644 0 0 ${path}\0${target}\0`
  })
  return manifestRecords(records)
}

export function scan(entries: readonly TestEntry[], onRecord: (view: RecordView) => void): void {
  const scanner = createScanner('manifest', onRecord)
  const fault = scanner.push(recordsOf(entries)) ?? scanner.end()
  if (fault !== undefined) throw new Error(`the test's own manifest is ${fault.reason}`)
}

export function treeOf(entries: readonly TestEntry[]): TreeBuilder {
  const tree = createTree()
  scan(entries, (view) => {
    tree.add(view, view.fateByte)
  })
  return tree
}

export function rowOf(tree: TreeBuilder, view: RecordView): number {
  return view.kindByte === kindBytes.directory ? tree.ownRow(view) : tree.parentRow(view)
}

export interface Planned {
  readonly plan: ShardPlan
  /** Paths per shard, sorted. */
  readonly contents: readonly (readonly string[])[]
  /** Paths that are in no shard, sorted. */
  readonly leftOut: readonly string[]
}

function tallied(entries: readonly TestEntry[], tree: TreeBuilder, shardPolicy: ShardPolicy): ShardPlan {
  for (const fineness of ['chosen', 'finest'] as const) {
    const tally = startTally(tree, shardPolicy, fineness)
    scan(entries, (view) => {
      tally.add(view, rowOf(tree, view))
    })
    const plan = planByTally(tree, shardPolicy, tally)
    if (plan !== undefined) return plan
  }
  throw new Error('the finest cut is final')
}

export function planOf(entries: readonly TestEntry[], shardPolicy: ShardPolicy): Planned {
  const tree = treeOf(entries)
  const plan = planByTotals(tree, shardPolicy) ?? tallied(entries, tree, shardPolicy)
  const { assignment, shards } = plan
  const contents: string[][] = shards.map(() => [])
  const leftOut: string[] = []
  scan(entries, (view) => {
    const path = view.buffer.toString('latin1', view.pathStart, view.pathEnd)
    const shard = assignment.shardOf(view, rowOf(tree, view))
    if (shard < -1 || shard >= shards.length) throw new Error(`${path} is in shard ${shard}`)
    ;(contents[shard] ?? leftOut).push(path)
  })
  for (const paths of [...contents, leftOut]) paths.sort()
  return { plan, contents, leftOut }
}
