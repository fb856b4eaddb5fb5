/** The quickstart's data set: some 300 MB in 12,000 files, skewed as real data sets are, the same bytes every time. */

import { createCipheriv } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const MIB = 2 ** 20
/** Every file was changed at this second, so that a data set made again is equal to the first. */
const MTIME = 1_700_000_000
const SMALL_FILES = 9_000
const NESTED_FOLDERS = 60
const FILES_PER_FOLDER = 50

/**
 * Makes the data set, or leaves it as it is where it is complete.
 * @param {string} folder
 */
export function makeDataset(folder) {
  const complete = `${folder}.complete`
  if (existsSync(complete)) {
    console.log(`The data set of the last time is still there: ${folder}`)
    return
  }
  console.log(`Making a data set of 300 MB in 12,000 files: ${folder}`)
  rmSync(folder, { recursive: true, force: true })
  const bytes = noise()
  /** @type {(path: string, size: number) => void} */
  const file = (path, size) => {
    const full = join(folder, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, bytes(size))
    utimesSync(full, MTIME, MTIME)
  }
  // One flat directory with most of the files, as an image data set has.
  for (let i = 0; i < SMALL_FILES; i += 1) {
    file(`images/${String(i).padStart(5, '0')}.jpg`, 2_000 + ((i * 7_919) % 12_000))
  }
  // A deep tree of medium files.
  for (let i = 0; i < NESTED_FOLDERS * FILES_PER_FOLDER; i += 1) {
    const place = i % NESTED_FOLDERS
    file(`records/${place % 4}/${place % 12}/${place}/part-${i}.tfrecord`, 4_000 + ((i * 104_729) % 40_000))
  }
  // A few files that weigh as much as all the others.
  file('checkpoints/step-1000/model.safetensors', 96 * MIB)
  file('checkpoints/step-2000/model.safetensors', 64 * MIB)
  file('checkpoints/tokenizer.json', 2 * MIB)
  for (const name of oddNames()) file(`odd names/${name}`, 100)
  file('empty file', 0)
  mkdirSync(join(folder, 'empty directory'))
  symlinkSync('step-2000', join(folder, 'checkpoints', 'latest'))
  symlinkSync('/nowhere/at/all', join(folder, 'odd names', 'dangling'))
  writeFileSync(complete, '')
}

function oddNames() {
  return [
    '-dash',
    '#hash',
    ' spaces ',
    'new\nline',
    "quo'te",
    'back\\slash',
    '[a] {b} *',
    '$(touch X)',
    'caf\u00e9',
    'cafe\u0301',
  ]
}

/** A deterministic stream of bytes that no file system can compress. */
function noise() {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'soxplan'), Buffer.alloc(16))
  /** @type {(size: number) => Buffer} */
  return (size) => stream.update(Buffer.alloc(size))
}
