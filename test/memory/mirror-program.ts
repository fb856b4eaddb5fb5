/**
 * Finds what a destination of COUNT files in DIRECTORIES directories has too much, a tenth of it, and says how much memory
 * that took at its peak. Arguments: FOLDER COUNT DIRECTORIES PATH; find and sort are found on PATH.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findExtras } from '../../src/edge/extras.ts'
import { isAtSource, listing } from './entries.ts'
import { must, peakMiB, takeIn } from './intake.ts'

const [folder = '', countText = '', directoriesText = '', path = ''] = process.argv.slice(2)
const imagined = { count: Number(countText), directories: Number(directoriesText) }
const manifestPath = join(folder, 'code.gz')
await takeIn(listing(imagined, isAtSource), manifestPath)
const extras = must(
  await findExtras({
    manifestPath,
    listPath: join(folder, 'code.deletes'),
    root: { kind: 'local', path: folder },
    remote: () => {
      throw new Error('this destination is on a disk')
    },
    filter: undefined,
    ours: [],
    followLinks: false,
    keepsLinks: false,
    env: { PATH: path },
    signal: new AbortController().signal,
  }),
)
const { entries, files } = extras
console.log(JSON.stringify({ entries, files, peakMiB: peakMiB(await readFile('/proc/self/status', 'utf8')) }))
