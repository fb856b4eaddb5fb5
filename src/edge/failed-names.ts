/** The names that a run did not deliver: one by one for the report, and all of them in `failed.txt`. */

import { open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { fateBytes } from '../inventory/entry.ts'
import { printable } from '../inventory/printable.ts'
import { pathText } from '../inventory/summary.ts'
import type { Progress, StepProgress } from '../run/progress.ts'
import type { RunRecord, TransferRecord } from '../run/record.ts'
import { scanManifest } from './manifest-file.ts'
import { readFailed } from './marks.ts'
import type { RunPaths } from './run-folder.ts'

/** A name that the workers gave up on. */
export interface GivenUp {
  readonly transfer: TransferRecord['name']
  /** Latin1 text of raw bytes. */
  readonly path: string
  /** The class the worker gave it. */
  readonly failure: string
  /** The log of the attempt that gave it up first. */
  readonly logPath: string
}

/**
 * Every name once. A later stage repeats the names that the one before it gave up on, because its own list has to
 * stand for the whole transfer; what it adds are those that it found wrong itself.
 *
 * @param steps the stages of one transfer, in their order
 */
async function* givenUp(paths: RunPaths, steps: readonly StepProgress[]): AsyncGenerator<GivenUp> {
  const failing = (at: StepProgress | undefined): StepProgress['marks'] =>
    at?.marks.filter(({ failed }) => failed > 0) ?? []
  for (const [index, { step, marks }] of steps.entries()) {
    const before = steps[index - 1]
    for (const mark of marks.filter(({ failed }) => failed > 0)) {
      const named = new Set<string>()
      // The one shard of the directories repeats the names of all shards before it.
      const repeats = failing(before).filter(
        ({ shard }) => step.stage === 'directories' || shard === mark.shard,
      )
      for (const earlier of repeats) {
        if (before === undefined) continue
        for (const entry of await readFailed(paths.stage(before.step), earlier)) named.add(entry.path)
      }
      const logPath = path.join(paths.stage(step), 'work', mark.shard, `${mark.attempt}.log`)
      for (const entry of await readFailed(paths.stage(step), mark))
        if (!named.has(entry.path)) yield { transfer: step.transfer.name, ...entry, logPath }
    }
  }
}

/** The names that were given up on in one transfer: how many, and the first of them. */
export interface GivenUpNames {
  readonly count: number
  readonly first: readonly GivenUp[]
}

/** As `collectFailedNames`, for whoever only reads: nothing is written. */
export async function readGivenUp(
  paths: RunPaths,
  record: RunRecord,
  progress: Progress,
  firstMax: number,
): Promise<FailedNames['givenUp']> {
  const found = new Map<TransferRecord['name'], GivenUpNames>()
  for (const { name } of record.transfers)
    found.set(name, await gather(paths, stepsOf(progress, name), firstMax, () => Promise.resolve()))
  return found
}

function stepsOf({ steps }: Progress, name: TransferRecord['name']): readonly StepProgress[] {
  return steps.filter(({ step }) => step.transfer.name === name)
}

/** Counts the names of one transfer's stages; `onName` sees each. */
async function gather(
  paths: RunPaths,
  steps: readonly StepProgress[],
  firstMax: number,
  onName: (entry: GivenUp) => Promise<void>,
): Promise<GivenUpNames> {
  const first: GivenUp[] = []
  let count = 0
  for await (const entry of givenUp(paths, steps)) {
    count += 1
    if (first.length < firstMax) first.push(entry)
    await onName(entry)
  }
  return { count, first }
}

export interface FailedNames {
  readonly givenUp: ReadonlyMap<TransferRecord['name'], GivenUpNames>
  /** Path of `failed.txt`, undefined where not one name failed; SX322 when a manifest can not be read. */
  readonly file: Result<string | undefined>
}

/**
 * Walks every name that the run did not deliver, once: counts what was given up on, and writes `failed.txt`, one line
 * per name: transfer, class, printable path, and the log or the reason, between tabs. Where no name failed there is
 * no such file, nor one of an earlier life of the run. Throws what the file system says.
 *
 * @param firstMax how many names of each transfer are kept in memory
 */
export async function collectFailedNames(
  paths: RunPaths,
  record: RunRecord,
  progress: Progress,
  firstMax: number,
): Promise<FailedNames> {
  const file = await NamesFile.begin(paths.failedNames)
  const found = new Map<TransferRecord['name'], GivenUpNames>()
  let readable: Result<unknown> = ok(undefined)
  try {
    for (const transfer of record.transfers) {
      for (const line of transfer.unlisted.lines) file.add(transfer.name, 'unlisted', line, '')
      const refused = await addRefused(paths, transfer, file)
      if (readable.ok) readable = refused
      const names = await gather(paths, stepsOf(progress, transfer.name), firstMax, (entry) => {
        file.add(transfer.name, entry.failure, printable(entry.path), entry.logPath)
        return file.write(BLOCK_CHARS)
      })
      found.set(transfer.name, names)
    }
    return { givenUp: found, file: readable.ok ? ok(await file.keep()) : readable }
  } finally {
    await file.close()
  }
}

/** The manifest knows every refused name, the record the reasons of the first. */
async function addRefused(
  paths: RunPaths,
  { name, refused }: TransferRecord,
  file: NamesFile,
): Promise<Result<unknown>> {
  if (refused.count === 0) return ok(undefined)
  const reasons = new Map(refused.named.map((entry) => [entry.path, entry.reason]))
  return scanManifest(
    paths.manifest(name),
    (view) => {
      if (view.fateByte !== fateBytes.refused) return
      const text = pathText(view)
      file.add(name, 'refused', printable(text), reasons.get(text) ?? '')
    },
    { afterBlock: () => file.write(BLOCK_CHARS) },
  )
}

/** Text is written out when this much has come together. */
const BLOCK_CHARS = 256 * 1024

/** `failed.txt` while it grows, under another name and only from its first line on. */
class NamesFile {
  readonly #path: string
  readonly #temporary: string
  #handle: FileHandle | undefined
  #text = ''

  private constructor(file: string) {
    this.#path = file
    this.#temporary = `${file}.tmp`
  }

  /** Takes away what a crash left of an earlier one. */
  static async begin(file: string): Promise<NamesFile> {
    const names = new NamesFile(file)
    await rm(names.#temporary, { force: true })
    return names
  }

  add(...fields: readonly string[]): void {
    this.#text += `${fields.join('\t')}\n`
  }

  async write(atLeastChars: number): Promise<void> {
    if (this.#text.length < atLeastChars) return
    this.#handle ??= await open(this.#temporary, 'wx', 0o600)
    await this.#handle.appendFile(this.#text)
    this.#text = ''
  }

  /** Gives the file its name and returns it; undefined, and no file, where nothing was added. */
  async keep(): Promise<string | undefined> {
    await this.write(1)
    if (this.#handle === undefined) {
      await rm(this.#path, { force: true })
      return undefined
    }
    await this.#handle.sync()
    await rename(this.#temporary, this.#path)
    return this.#path
  }

  /** What was not kept goes away. */
  async close(): Promise<void> {
    await this.#handle?.close()
    await rm(this.#temporary, { force: true })
  }
}
