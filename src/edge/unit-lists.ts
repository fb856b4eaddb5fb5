/** What a tool that carries whole prefixes is told of each shard: its units, and the names to leave out of them. */

import type { TreeBuilder } from '../inventory/directories.ts'
import { fateBytes, kindBytes, type RecordView } from '../inventory/entry.ts'
import { pathText } from '../inventory/summary.ts'
import type { Prefixes, PrefixUnit, ShardPlan } from '../shard/finish.ts'
import { Bug } from '../units.ts'
import type { PathCodec } from './shard-paths.ts'

/** The tool's own names, and its pattern for exactly one of them. */
export interface UnitNames {
  readonly nameOf: PathCodec
  readonly pattern: PathCodec
}

/**
 * Records with a NUL at the end, as the worker reads them: `tree BYTES ./PATH` for all that is in and below a folder,
 * `loose BYTES ./PATH` for the files that stand directly in it, each with `except - PATTERN` behind it for every name that
 * the plan refuses, because the tool would carry that as well.
 */
export class UnitLists {
  private readonly tree: TreeBuilder
  private readonly prefixes: Prefixes
  private readonly names: UnitNames
  private readonly leftOut = new Map<number, Buffer[]>()

  constructor(tree: TreeBuilder, { prefixes }: ShardPlan, names: UnitNames) {
    if (prefixes === undefined) throw new Bug('the plan has no whole prefixes')
    this.tree = tree
    this.prefixes = prefixes
    this.names = names
  }

  /** Notes an entry that is no work; what is there already, or skipped, the tool leaves alone by itself. */
  leaveOut(view: RecordView): void {
    if (view.fateByte !== fateBytes.refused || view.kindByte === kindBytes.directory) return
    const number = this.prefixes.unitOf(this.tree.parentRow(view))
    const unit = this.prefixes.units[number]
    if (unit === undefined) return
    const folder = this.tree.path(unit.row)
    const below = folder === '' ? pathText(view) : pathText(view).slice(folder.length + 1)
    const name = this.names.nameOf(Buffer.from(below, 'latin1'))
    const list = this.leftOut.get(number) ?? []
    list.push(Buffer.concat([Buffer.from('except - '), this.names.pattern(name), Buffer.of(0)]))
    this.leftOut.set(number, list)
  }

  /** Of the shard with this index in the plan's list; undefined where it holds no file. */
  contentOf(shard: number): Buffer | undefined {
    const records = this.prefixes.units.flatMap((unit, number) =>
      unit.shard === shard && unit.files > 0 ? [this.record(unit), ...(this.leftOut.get(number) ?? [])] : [],
    )
    return records.length === 0 ? undefined : Buffer.concat(records)
  }

  private record({ row, isWhole, bytes }: PrefixUnit): Buffer {
    const name = this.names.nameOf(Buffer.from(this.tree.path(row), 'latin1'))
    return Buffer.concat([Buffer.from(`${isWhole ? 'tree' : 'loose'} ${bytes} ./`), name, Buffer.of(0)])
  }
}
