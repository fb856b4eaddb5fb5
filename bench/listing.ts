/** Made-up listings of millions of files: the same as a manifest for soxplan and as `size path` lines for fpart. */

import { createWriteStream } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { createManifestWriter } from '../src/edge/manifest-file.ts'
import { fateBytes } from '../src/inventory/entry.ts'
import { manifestHead } from '../src/inventory/manifest.ts'
import { createScanner } from '../src/inventory/scan.ts'

export interface Listing {
  readonly files: number
  readonly manifestPath: string
  readonly fpartList: string
}

export interface ListingShape {
  readonly files: number
  readonly directories: number
  /** Share of the files that stand in one directory beside the others. */
  readonly flatShare: number
}

const linesAtOnce = 10_000

/** Numbers from 0 to 1, the same in every run: a linear congruence is random enough for sizes. */
function numbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 2 ** 32
  }
}

/** Log-normal around 3 kB, as collections of small files are: the top percent holds half of the bytes. */
function* sizedPaths({
  files,
  directories,
  flatShare,
}: ListingShape): Generator<{ size: number; path: string }> {
  const next = numbers()
  const size = (): number =>
    Math.floor(Math.exp(8 + 2.5 * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())))
  const perDirectory = Math.max(1, Math.floor((files * (1 - flatShare)) / directories))
  for (let made = 0; made < files; made++) {
    const place = Math.floor(made / perDirectory)
    const path =
      flatShare < 1 && place < directories
        ? `top${place % 20}/sub${place % 371}/dir${place}/file-${made % perDirectory}.bin`
        : `flat/sample-${made}.jpg`
    yield { size: size(), path }
  }
}

/** Makes the listing in `folder`, or finds it there. */
export async function listing(folder: string, shape: ListingShape): Promise<Listing> {
  const { files, directories } = shape
  // One that was kept from before the form changed is no manifest any more.
  const form = /\d+/.exec(manifestHead.toString('latin1'))?.[0] ?? ''
  const name = `listing-${files}-${directories}-${form}`
  const made: Listing = {
    files,
    manifestPath: join(folder, `${name}.gz`),
    fpartList: join(folder, `${name}.txt`),
  }
  if (await exists(made.fpartList)) return made
  const manifest = createManifestWriter(made.manifestPath)
  const scanner = createScanner('listing', (view) => {
    manifest.add(view, fateBytes.new)
  })
  const lines = createWriteStream(`${made.fpartList}.part`)
  let records = ''
  let text = ''
  let number = 0
  const flush = async (): Promise<void> => {
    if (scanner.push(Buffer.from(records, 'latin1')) !== undefined)
      throw new Error('the listing is malformed')
    await manifest.pressure()
    if (!lines.write(text)) await once(lines, 'drain')
    records = text = ''
  }
  for (const { size, path } of sizedPaths(shape)) {
    records += `f ${size} 1700000000.1234567890 2049 ${100 + number} 1 644 1000 1000 ${path}\0\0`
    text += `${size} ${path}\n`
    if (++number % linesAtOnce === 0) await flush()
  }
  await flush()
  lines.end()
  await finished(lines)
  const closed = await manifest.close()
  if (!closed.ok) throw new Error(closed.error.map(({ what }) => what).join('\n'))
  await rename(`${made.fpartList}.part`, made.fpartList)
  return made
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
