/** The names that a run did not deliver: one by one for the report, and all of them in `failed.txt`. */

import { open, rename, rm } from 'node:fs/promises'
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
export async function* givenUp(paths: RunPaths, steps: readonly StepProgress[]): AsyncGenerator<GivenUp> {
  const failing = (at: StepProgress | undefined): StepProgress['marks'] =>
    at?.marks.filter(({ failed }) => failed > 0) ?? []
  for (const [index, { step, marks }] of steps.entries()) {
    const before = steps[index - 1]
    for (const mark of marks.filter(({ failed }) => failed > 0)) {
      const named = new Set<string>()
      for (const earlier of failing(before).filter(({ shard }) => shard === mark.shard)) {
        if (before === undefined) continue
        for (const entry of await readFailed(paths.stage(before.step), earlier)) named.add(entry.path)
      }
      const logPath = path.join(paths.stage(step), 'work', mark.shard, `${mark.attempt}.log`)
      for (const entry of await readFailed(paths.stage(step), mark))
        if (!named.has(entry.path)) yield { transfer: step.transfer.name, ...entry, logPath }
    }
  }
}

/** Text is written out when this much has come together. */
const BLOCK_CHARS = 256 * 1024

/**
 * Writes `failed.txt`, one line per name: transfer, class, printable path, and the log or the reason, between tabs.
 * Returns its path. Fails SX322 when a manifest can not be read; throws what the file system says.
 */
export async function writeFailedNames(
  paths: RunPaths,
  record: RunRecord,
  progress: Progress,
): Promise<Result<string>> {
  const temporary = `${paths.failedNames}.tmp`
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o600)
  let text = ''
  const add = (...fields: readonly string[]): void => {
    text += `${fields.join('\t')}\n`
  }
  const write = async (atLeastChars: number): Promise<void> => {
    if (text.length < atLeastChars) return
    await handle.appendFile(text)
    text = ''
  }
  try {
    for (const transfer of record.transfers) {
      for (const line of transfer.unlisted.lines) add(transfer.name, 'unlisted', line, '')
      const refused = await addRefused(paths, transfer, add, () => write(BLOCK_CHARS))
      if (!refused.ok) return refused
      const steps = progress.steps.filter(({ step }) => step.transfer.name === transfer.name)
      for await (const { path: name, failure, logPath } of givenUp(paths, steps)) {
        add(transfer.name, failure, printable(name), logPath)
        await write(BLOCK_CHARS)
      }
    }
    await write(0)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, paths.failedNames)
  return ok(paths.failedNames)
}

/** The manifest knows every refused name, the record the reasons of the first. */
async function addRefused(
  paths: RunPaths,
  { name, refused }: TransferRecord,
  add: (...fields: readonly string[]) => void,
  afterBlock: () => Promise<void>,
): Promise<Result<unknown>> {
  if (refused.count === 0) return ok(undefined)
  const reasons = new Map(refused.named.map((entry) => [entry.path, entry.reason]))
  return scanManifest(
    paths.manifest(name),
    (view) => {
      if (view.fateByte !== fateBytes.refused) return
      const text = pathText(view)
      add(name, 'refused', printable(text), reasons.get(text) ?? '')
    },
    { afterBlock },
  )
}
