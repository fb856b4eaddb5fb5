/** Listings long enough that the destination is looked at in threads: what they find must be what one look after the other finds. */

import { lstat, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../rig/folder.ts'
import { writeTree } from '../rig/tree.ts'
import { fates, surveyed } from './survey-rig.ts'

const seconds = 1_700_000_000
const folders = Array.from({ length: 8 }, (_, index) => `${index}`.padStart(120, 'folder '))
/** 8,000 records of some 220 bytes. */
const files = folders.flatMap((folder) => Array.from({ length: 1000 }, (_, index) => `${folder}/${index}`))

async function bothSides(folder: string): Promise<void> {
  for (const side of ['from', 'to'])
    await writeTree(
      join(folder, side),
      files.map((path) => ({ kind: 'file' as const, path, content: 'abc', mtime: seconds })),
    )
}

test('each entry gets the fate that its own place calls for', async () => {
  await using temp = await tempFolder()
  await bothSides(temp.path)
  const at = (index: number): string => join(temp.path, 'to', files[index] ?? '')
  const expected = files.map((path) => `=f ${path}`)
  const becomes = (index: number, fate: string): void => {
    expected[index] = `${fate}f ${files[index] ?? ''}`
  }
  for (let index = 0; index < files.length; index += 97) {
    await rm(at(index))
    becomes(index, '+')
    await writeFile(at(index + 1), 'abcd')
    becomes(index + 1, '~')
    await utimes(at(index + 2), seconds, seconds + 1)
    becomes(index + 2, '~')
    await rm(at(index + 3))
    await mkdir(at(index + 3))
    becomes(index + 3, '!')
  }
  // A folder that is a symlink there, at a place where all of it was equal: nothing below it may be written.
  const [, linked = ''] = folders
  await rename(join(temp.path, 'to', linked), join(temp.path, 'elsewhere'))
  await symlink(join(temp.path, 'elsewhere'), join(temp.path, 'to', linked))
  for (const [index, path] of files.entries()) if (path.startsWith(`${linked}/`)) becomes(index, '!')
  const found = await surveyed(temp.path)
  const ofFolders = folders.map((path) => `${path === linked ? '!' : '='}d ${path}`)
  expect(await fates(found)).toEqual([...expected, ...ofFolders].sort())
  expect((await lstat(join(temp.path, 'to', linked))).isSymbolicLink()).toBe(true)
})

test('a stop in the middle ends the threads, too', async () => {
  await using temp = await tempFolder()
  await bothSides(temp.path)
  const control = new AbortController()
  const reason = new Error('enough')
  const running = surveyed(
    temp.path,
    {},
    {
      signal: control.signal,
      onProgress: (entries) => {
        if (entries > 3000) control.abort(reason)
      },
    },
  )
  await expect(running).rejects.toBe(reason)
})
