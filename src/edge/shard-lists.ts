/** Writes the files of all shards of a copy stage in one pass over the manifest. */

import path from 'node:path'
import { failWith, type Result } from '../diagnostic.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import { fateBytes, isWorkFate, kindBytes, workBytes, type RecordView } from '../inventory/entry.ts'
import type { ShardPlan } from '../shard/finish.ts'
import { ShardPlaces } from '../shard/places.ts'
import type { ProofKind } from '../tools/proof.ts'
import { linkFileName } from '../tools/rclone-links.ts'
import { Bug } from '../units.ts'
import { isSystemError, syncFolder, systemReason } from './files.ts'
import { scanManifest } from './manifest-file.ts'
import { ListFiles, WriteFault, type ListFile } from './shard-files.ts'
import {
  encoded,
  fixedForm,
  formOf,
  rawForm,
  rawRecordForm,
  type PathCodec,
  type PathForm,
} from './shard-paths.ts'
import { UnitLists, type UnitNames } from './unit-lists.ts'
import { writeExpected, writeLinkFile, writePath } from './shard-records.ts'

export interface ShardListsOptions {
  readonly manifestPath: string
  readonly tree: TreeBuilder
  readonly plan: ShardPlan
  /** The copy stage's `shards/`, which exists and is empty. */
  readonly folder: string
  /** The tool's own list entry, separator included. */
  readonly listEntry: PathCodec
  /** A path as the destination shows it, without `./`; absent: the same bytes as at the source. */
  readonly destinationName?: PathCodec
  /** The name that a single file gets at the destination, as the destination shows it. */
  readonly singleName?: Uint8Array
  readonly proof: ProofKind
  readonly links: LinksIn
  /** For a tool that carries whole prefixes: `ID.units` as well. */
  readonly units?: UnitNames
  readonly stop?: AbortSignal
}

/**
 * Where symlinks are named: in `.links`, or in the tool's list, as what they are or as the file that stands for each on a
 * remote. That file is what arrives there (`as-files`), or it is the source of a symlink (`from-files`).
 */
export type LinksIn = 'links' | 'list' | 'as-files' | 'from-files'

/**
 * For each shard `ID.expect`, `ID.list`, `ID.links`, `ID.dirs` and `ID.units` as the run folder has them, durable when this
 * returns. Entries are in the order of the manifest. Fails SX322 when the manifest cannot be read again and SX621
 * when the folder cannot be written, and has then removed what it wrote.
 *
 * @throws Bug when the lists do not hold what the plan says: something would be lost, or moved twice.
 */
export async function writeShardLists(options: ShardListsOptions): Promise<Result<{ entries: number }>> {
  const { shards } = options.plan
  // Per shard `.expect` and `.list` grow together; `.links` and `.dirs` are small or absent.
  const files = new ListFiles(shards.length * 2)
  const lists = new ShardLists(options, files)
  try {
    const scanned = await scanManifest(
      options.manifestPath,
      (view) => {
        lists.add(view)
      },
      options.stop === undefined ? {} : { stop: options.stop },
    )
    if (!scanned.ok) {
      files.discard()
      return scanned
    }
    lists.addDirectories()
    lists.addUnits()
    lists.check()
    await files.close()
    await syncFolder(options.folder)
    return scanned
  } catch (error) {
    files.discard()
    if (!(error instanceof WriteFault) && !isSystemError(error)) throw error
    return failWith(
      'SX621',
      `cannot write the shard lists in ${options.folder}: ${systemReason(error)}`,
      'Make room or name another folder with --state DIR, then plan again.',
    )
  }
}

function nameFormOf({ destinationName, singleName }: ShardListsOptions): PathForm {
  if (singleName !== undefined) return fixedForm(destinationName?.(singleName) ?? singleName)
  return destinationName === undefined
    ? rawForm
    : formOf((name) => Buffer.concat([rawForm.before, destinationName(name)]))
}

/** One shard's files, and what went into them. */
class ShardWriter {
  files = 0
  symlinks = 0
  directories = 0
  bytes = 0
  readonly expect: ListFile
  readonly list: ListFile
  readonly links: ListFile

  constructor(files: ListFiles, base: string) {
    this.expect = files.create(`${base}.expect`)
    this.list = files.create(`${base}.list`)
    this.links = files.create(`${base}.links`)
  }

  count(view: RecordView): void {
    if (view.kindByte === kindBytes.directory) this.directories += 1
    else if (view.kindByte === kindBytes.symlink) this.symlinks += 1
    else {
      this.files += 1
      this.bytes += workBytes(view)
    }
  }
}

/** Puts each record where its shard's files are. */
class ShardLists {
  private readonly options: ShardListsOptions
  private readonly files: ListFiles
  private readonly writers: readonly ShardWriter[]
  private readonly places: ShardPlaces
  private readonly listForm: PathForm
  private readonly nameForm: PathForm
  /** Of the files that stand for symlinks, in the tool's list and at the destination. */
  private readonly linkFiles: { readonly list: PathForm; readonly name: PathForm } | undefined
  private readonly withMtime: boolean
  private readonly units: UnitLists | undefined

  constructor(options: ShardListsOptions, files: ListFiles) {
    this.options = options
    this.files = files
    this.writers = options.plan.shards.map((shard) => new ShardWriter(files, this.base(shard.id)))
    this.places = new ShardPlaces(options.tree, this.writers.length)
    this.listForm = formOf(options.listEntry)
    this.nameForm = nameFormOf(options)
    this.linkFiles =
      options.links === 'links' || options.links === 'list'
        ? undefined
        : {
            list: formOf((path) => options.listEntry(linkFileName(path))),
            name: formOf((path) => linkFileName(encoded(this.nameForm, path))),
          }
    this.withMtime = options.proof === 'size+mtime'
    const { units, tree, plan } = options
    this.units = units === undefined ? undefined : new UnitLists(tree, plan, units)
  }

  add(view: RecordView): void {
    if (!isWorkFate(view.fateByte)) {
      this.units?.leaveOut(view)
      return
    }
    const { tree, plan } = this.options
    const isDirectory = view.kindByte === kindBytes.directory
    const row = isDirectory ? tree.ownRow(view) : tree.parentRow(view)
    const shard = plan.assignment.shardOf(view, row)
    const writer = this.writers[shard]
    if (writer === undefined) throw new Bug(`an entry in ${tree.path(row)} is in no shard`)
    this.places.add(shard, row)
    writer.count(view)
    this.write(writer, view)
  }

  private write(writer: ShardWriter, view: RecordView): void {
    if (view.kindByte === kindBytes.symlink) {
      this.writeLink(writer, view)
      return
    }
    writeExpected(writer.expect, view, this.withMtime, this.nameForm)
    if (view.kindByte !== kindBytes.directory && view.fateByte !== fateBytes.attributes)
      writePath(writer.list, view, this.listForm)
  }

  private writeLink(writer: ShardWriter, view: RecordView): void {
    const { linkFiles } = this
    const { links } = this.options
    if (links === 'as-files' && linkFiles !== undefined)
      writeLinkFile(writer.expect, view, this.withMtime, linkFiles.name)
    else writeExpected(writer.expect, view, this.withMtime, this.nameForm)
    if (view.fateByte === fateBytes.attributes) return
    if (links === 'links') writePath(writer.links, view, rawRecordForm)
    else writePath(writer.list, view, linkFiles?.list ?? this.listForm)
  }

  /** `.dirs` of every shard, after the last record: bytewise sorted, which has parents before their children. */
  addDirectories(): void {
    let shard = 0
    for (const rows of this.places.perShard()) {
      const id = this.options.plan.shards[shard++]?.id ?? ''
      if (rows.length === 0) continue
      const names = rows.map((row) => this.directoryName(row)).sort((one, other) => (one < other ? -1 : 1))
      this.files.write(`${this.base(id)}.dirs`, Buffer.from(names.join(''), 'latin1'))
    }
  }

  /** `.units` of every shard. */
  addUnits(): void {
    for (const [index, shard] of this.options.plan.shards.entries()) {
      const content = this.units?.contentOf(index)
      if (content !== undefined) this.files.write(`${this.base(shard.id)}.units`, content)
    }
  }

  /** As a string with one character per byte, which sorts as bytes do. */
  private directoryName(row: number): string {
    const raw = this.options.tree.path(row)
    if (this.nameForm.codec === undefined) return `./${raw}\0`
    return `${Buffer.from(encoded(this.nameForm, Buffer.from(raw, 'latin1'))).toString('latin1')}\0`
  }

  /** @throws Bug when a shard is not what the plan says it is. */
  check(): void {
    for (const [index, shard] of this.options.plan.shards.entries()) {
      const wrote = this.writers[index]
      const isSame =
        wrote?.files === shard.files &&
        wrote.symlinks === shard.symlinks &&
        wrote.directories === shard.directories &&
        wrote.bytes === shard.bytes
      if (!isSame) throw new Bug(`the lists of shard ${shard.id} do not hold what the plan says`)
    }
  }

  private base(id: string): string {
    return path.join(this.options.folder, id)
  }
}
