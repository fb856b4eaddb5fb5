/** Trees to measure on, made once per machine and kept in the cache folder. */

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'

const DIRECTORIES = 1024
const SMALL_MAX = 2000
const BLOCK = randomBytes(1024 * 1024)

/** `count` files of 100–2,000 bytes, a quarter of them in one directory, the rest in 1,024. */
export function smallFiles(folder: string, count: number): string {
  return once(folder, () => {
    for (let index = 0; index < DIRECTORIES; index++)
      mkdirSync(path.join(folder, `d${index >> 5}`, `e${index & 31}`), { recursive: true })
    mkdirSync(path.join(folder, 'flat'))
    for (let index = 0; index < count; index++) {
      const parent = index % 4 === 0 ? 'flat' : path.join(`d${(index % DIRECTORIES) >> 5}`, `e${index & 31}`)
      const size = 100 + ((index * 7919) % (SMALL_MAX - 100))
      writeFileSync(path.join(folder, parent, `f${index}`), BLOCK.subarray(0, size))
    }
  })
}

/** `count` files of `mebibytes` MiB each, content that does not compress. */
export function bigFiles(folder: string, count: number, mebibytes: number): string {
  return once(folder, () => {
    mkdirSync(folder, { recursive: true })
    for (let index = 0; index < count; index++) {
      const file = openSync(path.join(folder, `big${index}`), 'w')
      for (let block = 0; block < mebibytes; block++) writeSync(file, BLOCK)
      closeSync(file)
    }
  })
}

/** A half-made tree of an interrupted run is made again. */
function once(folder: string, make: () => void): string {
  const stamp = `${folder}.made`
  if (existsSync(stamp)) return folder
  rmSync(folder, { recursive: true, force: true })
  make()
  writeFileSync(stamp, '')
  return folder
}
