/** Takes records in: filter, name, destination, fate, and then manifest, tree and counts. One pass, nothing kept. */

import { setImmediate } from 'node:timers/promises'
import { failWith, ok, type Result } from '../diagnostic.ts'
import type { TreeBuilder } from '../inventory/directories.ts'
import { kindBytes, type RecordView } from '../inventory/entry.ts'
import { decideFate, verdicts, type FatePolicy, type Verdict } from '../inventory/fates.ts'
import type { PathFilter } from '../inventory/filter.ts'
import {
  hasDotSegment,
  hasImpossibleSegment,
  hasUnspeakableFolder,
  holdsReplacement,
  isTooLong,
  isUtf8,
} from '../inventory/names.ts'
import { isOwnLock } from '../inventory/own-lock.ts'
import { createCutter } from '../inventory/cut-records.ts'
import { createScanner } from '../inventory/scan.ts'
import { createSummary, pathText, type SummaryBuilder } from '../inventory/summary.ts'
import { namesAreBytes, type Location } from '../plan/plan.ts'
import { isAwsName } from '../tools/aws.ts'
import { isLinkFileName, isLinkName, linkFileName } from '../tools/rclone-links.ts'
import {
  comesBack,
  encodeRcloneName,
  isRcloneName,
  isVerbatimName,
  keyOfRcloneName,
} from '../tools/rclone-names.ts'
import type { Answers } from './look-answers.ts'
import type { DestinationLook, SlowLook } from './look-destination.ts'
import type { ManifestWriter } from './manifest-file.ts'

/** Where each look asks a disk, so many bytes of listing are looked at right here: threads are worth their start for more. */
const LOOK_HERE_BYTES = 512 * 1024
/** How much of them at a time, before others get a turn. */
const SLICE_BYTES = 8192
/** Blocks whose answers may be on their way, of 64 KiB as pipes give them. */
const BLOCKS_AHEAD = 64

/** Of S3. */
const KEY_BYTES_MAX = 1024

export interface IntakeOptions {
  readonly tree: TreeBuilder
  readonly look: DestinationLook
  readonly policy: FatePolicy
  readonly filter: PathFilter | undefined
  readonly writer: ManifestWriter
  /** The plan wants rclone to carry this, whatever else could. */
  readonly rcloneCarries: boolean
  /** The plan wants aws to carry this. */
  readonly awsCarries: boolean
  readonly sourceRoot: Location
  readonly destinationRoot: Location
  /** rclone makes files of symlinks, or symlinks of files. */
  readonly translatesLinks: boolean
  /** Files and symlinks whose names are also directories, as latin1 paths. */
  readonly prefixes?: ReadonlySet<string>
  /** Symlinks whose names are also files. */
  readonly twins?: ReadonlySet<string>
  readonly onProgress?: (entries: number) => void
}

export interface Intake {
  readonly summary: SummaryBuilder
  readonly filtered: number
  /** Symlinks seen that the filter lets through. */
  readonly links: number
  /** Over SSH, names that rclone could not carry as they are. */
  readonly oddNames: number
  take(view: RecordView): void
  /** Takes a chunk of a listing; what it returns is to be waited for. */
  push(chunk: Buffer): Promise<void> | undefined
  /** The listing is over. Fails SX207 when it was not made of whole records. */
  end(): Promise<Result<undefined>>
}

/** Records whose places are being looked at. */
interface Block {
  readonly records: Buffer
  readonly answers: Promise<Answers>
  isAnswered: boolean
}

class Intaking implements Intake {
  readonly summary = createSummary()
  filtered = 0
  links = 0
  oddNames = 0
  private entries = 0
  private readonly options: IntakeOptions
  private readonly fromRemote: boolean
  private readonly toRemote: boolean
  private readonly isOverSsh: boolean
  private readonly onService: boolean
  private readonly rcloneCarries: boolean
  private readonly longestRoot: number
  private readonly slow: SlowLook | undefined
  private readonly cutter = createCutter()
  private readonly blocks: Block[] = []
  private lookedAtBytes = 0
  private readonly scanner = createScanner('listing', (view) => {
    this.slow?.next()
    this.take(view)
  })

  constructor(options: IntakeOptions) {
    this.options = options
    this.slow = options.look.slow
    const { sourceRoot, destinationRoot } = options
    this.fromRemote = !namesAreBytes(sourceRoot)
    this.toRemote = !namesAreBytes(destinationRoot)
    const ends = [sourceRoot, destinationRoot]
    this.isOverSsh = ends.some(({ kind }) => kind === 'ssh' || kind === 'sftp')
    this.onService = ends.some((end) => end.kind === 's3' && end.service !== undefined)
    this.rcloneCarries = options.rcloneCarries || this.fromRemote || this.toRemote
    const rootBytes = (root: Location): number => (root.kind === 'local' ? Buffer.byteLength(root.path) : 0)
    this.longestRoot = Math.max(rootBytes(sourceRoot), rootBytes(destinationRoot))
  }

  take(view: RecordView): void {
    const { filter, tree, writer } = this.options
    if (filter?.takes(view) === false) {
      this.filtered++
      return
    }
    if (view.kindByte === kindBytes.symlink) this.links++
    const isValid = view.isAscii || isUtf8(view.buffer, view.pathStart, view.pathEnd)
    const isOdd = this.isOverSsh && !(isValid && isVerbatimName(pathOf(view)))
    if (isOdd) this.oddNames++
    const verdict = this.judge(view, isValid, isOdd)
    this.entries++
    tree.add(view, verdict.byte)
    this.summary.add(view, verdict, isValid)
    writer.add(view, verdict.byte)
  }

  private judge(view: RecordView, isValid: boolean, isOdd: boolean): Verdict {
    const { look, policy, awsCarries, sourceRoot, destinationRoot } = this.options
    if (isOwnLock(view)) return verdicts.ownLock
    if (isOdd && this.rcloneCarries) return verdicts.notVerbatim
    if (this.fromRemote ? holdsReplacement(view) : this.toRemote && !isValid) return verdicts.notRepresentable
    if (this.toRemote && !this.fromRemote) {
      if (!isRcloneName(pathOf(view))) return verdicts.misreadName
    }
    if (this.options.translatesLinks) {
      const wrong = this.judgeLinkName(view)
      if (wrong !== undefined) return wrong
    }
    if (awsCarries && !view.isAscii && !isAwsName(pathOf(view), sourceRoot, destinationRoot))
      return verdicts.renamedByAws
    if (isTooLong(view, this.longestRoot)) return verdicts.tooLong
    if (this.isKeyTooLong(view)) return verdicts.keyTooLong
    if (this.fromRemote && hasImpossibleSegment(view)) return verdicts.impossibleName
    if (sourceRoot.kind === 's3' && hasDotSegment(view)) return verdicts.impossibleName
    if (this.onService && this.isUnlistable(view)) return verdicts.unlistableFolder
    const collision = this.fromRemote && !this.toRemote ? this.judgeCollision(view) : undefined
    return collision ?? decideFate(view, look.find(view), policy)
  }

  /** What would stand in one place on a disk with something else. */
  private judgeCollision(view: RecordView): Verdict | undefined {
    const { prefixes, twins } = this.options
    if (!view.isAscii && !comesBack(pathOf(view))) return verdicts.misreadName
    if (prefixes === undefined || view.kindByte === kindBytes.directory) return undefined
    const path = pathText(view)
    if (prefixes.has(path)) return verdicts.alsoPrefix
    return view.kindByte === kindBytes.symlink && twins?.has(path) === true ? verdicts.nameTaken : undefined
  }

  private judgeLinkName(view: RecordView): Verdict | undefined {
    if (view.kindByte === kindBytes.file && isLinkFileName(pathOf(view))) return verdicts.linkName
    const isLink = view.kindByte === kindBytes.symlink
    return isLink && !view.isAscii && !isLinkName(pathOf(view), !this.fromRemote)
      ? verdicts.misreadName
      : undefined
  }

  /** Ceph's gateway answers with the folder's name as it is, whatever it was asked for (16.2), and that is no XML. */
  private isUnlistable(view: RecordView): boolean {
    const isDirectory = view.kindByte === kindBytes.directory
    return !(isDirectory && this.toRemote) && hasUnspeakableFolder(view, isDirectory)
  }

  private isKeyTooLong(view: RecordView): boolean {
    const { destinationRoot: to, translatesLinks } = this.options
    if (to.kind !== 's3' || view.kindByte === kindBytes.directory) return false
    const path = pathOf(view)
    // A key is no longer than the name that it has on a disk or for rclone.
    if (path.length < KEY_BYTES_MAX / 4 && to.path.length < KEY_BYTES_MAX / 8) return false
    const isLink = translatesLinks && view.kindByte === kindBytes.symlink
    const key = keyOfRcloneName(this.fromRemote ? path : encodeRcloneName(path))
    const prefix = to.path === '' ? '' : `${to.path}/`
    return Buffer.byteLength(prefix) + (isLink ? linkFileName(key) : key).length > KEY_BYTES_MAX
  }

  push(chunk: Buffer): Promise<void> | undefined {
    if (this.slow !== undefined) return this.pushSlowly(chunk, this.slow)
    this.scanner.push(chunk)
    this.options.onProgress?.(this.entries)
    return this.options.writer.pressure()
  }

  /** The first records are looked at one by one; of the rest each block is, while those before it are taken in. */
  private async pushSlowly(chunk: Buffer, slow: SlowLook): Promise<void> {
    const whole = this.cutter.push(chunk)
    const isFirst = this.lookedAtBytes < LOOK_HERE_BYTES
    this.lookedAtBytes += whole.length
    const answers = isFirst || whole.length === 0 ? undefined : slow.ask(whole)
    if (answers === undefined) {
      for (let at = 0; at < whole.length; at += SLICE_BYTES) {
        this.scanner.push(whole.subarray(at, at + SLICE_BYTES))
        await setImmediate()
      }
    } else {
      const block: Block = { records: whole, answers, isAnswered: false }
      const answered = (): void => {
        block.isAnswered = true
      }
      answers.then(answered, answered)
      this.blocks.push(block)
    }
    while (this.blocks[0]?.isAnswered === true || this.blocks.length > BLOCKS_AHEAD)
      await this.takeBlock(slow)
    this.options.onProgress?.(this.entries)
    await this.options.writer.pressure()
  }

  private async takeBlock(slow: SlowLook): Promise<void> {
    const block = this.blocks.shift()
    if (block === undefined) return
    if (!block.isAnswered) slow.flush()
    slow.use(await block.answers)
    this.scanner.push(block.records)
    slow.use(undefined)
    this.options.onProgress?.(this.entries)
  }

  async end(): Promise<Result<undefined>> {
    if (this.slow !== undefined) {
      while (this.blocks.length > 0) await this.takeBlock(this.slow)
      this.scanner.push(this.cutter.rest())
    }
    const fault = this.scanner.end()
    if (fault === undefined) return ok(undefined)
    return failWith(
      'SX207',
      `the listing of ${this.options.sourceRoot.path} has a ${fault.reason} record at byte ${fault.offset}`,
      'See that `find --version` says GNU findutils, then plan again.',
    )
  }
}

function pathOf({ buffer, pathStart, pathEnd }: RecordView): Buffer {
  return buffer.subarray(pathStart, pathEnd)
}

/** Starts taking in what a source holds. */
export function createIntake(options: IntakeOptions): Intake {
  return new Intaking(options)
}
