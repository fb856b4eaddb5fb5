import { execFile } from 'node:child_process'
import { lstat, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Survey } from '../../src/edge/survey.ts'
import { tempFolder } from '../rig/folder.ts'
import { hostileTree } from '../rig/hostile.ts'
import { fates, surveyed, type Asked } from './survey-rig.ts'

const run = promisify(execFile)

/** What a preview shows of a survey. */
function shownOf({
  entries,
  tallies,
  skipped,
  refused,
  notUtf8,
  largest,
  sample,
  listingErrors,
}: Survey): unknown {
  return { entries, tallies, skipped, refused, notUtf8, largest, sample, listingErrors }
}

/** Everything was told from the listings alone: nobody wrote a manifest. */
async function hasNoManifest({ manifestPath }: Survey): Promise<boolean> {
  return lstat(manifestPath).then(
    () => false,
    () => true,
  )
}

async function twins(folder: string): Promise<void> {
  await hostileTree(join(folder, 'from'))
  await rm(join(folder, 'from/fifo'))
  await writeFile(join(folder, 'from/one'), '1234')
  await run('cp', ['-a', join(folder, 'from'), join(folder, 'to')])
}

describe('two folders between which everything was delivered once', () => {
  test('equal ones are told equal without a manifest, and the preview is the same', async () => {
    await using temp = await tempFolder()
    await twins(temp.path)
    const usual = await surveyed(temp.path)
    await rm(usual.manifestPath)
    const quick = await surveyed(temp.path, {}, { deliveredBefore: true })
    expect(await hasNoManifest(usual)).toBe(true)
    expect(await hasNoManifest(quick)).toBe(true)
    expect(shownOf(quick)).toEqual(shownOf(usual))
    expect(quick.tallies.same.files).toBeGreaterThan(20)
  })

  const differences: readonly (readonly [string, (folder: string) => Promise<unknown>])[] = [
    ['a file that is gone', (folder) => rm(join(folder, 'to/one'))],
    ['a file of another size', (folder) => writeFile(join(folder, 'to/one'), '12345')],
    ['another second', (folder) => utimes(join(folder, 'to/one'), 1, 1)],
    ['a new file in the source', (folder) => writeFile(join(folder, 'from/new'), '')],
    ['a file more at the destination', (folder) => writeFile(join(folder, 'to/more'), '')],
    ['another name', (folder) => rename(join(folder, 'to/one'), join(folder, 'to/eno'))],
    [
      'a directory instead of a file',
      async (folder) => {
        await rm(join(folder, 'to/one'))
        await mkdir(join(folder, 'to/one'))
      },
    ],
    [
      'a symlink to somewhere else',
      async (folder) => {
        await symlink('one', join(folder, 'from/link-of-mine'))
        await symlink('two', join(folder, 'to/link-of-mine'))
      },
    ],
    [
      'a symlink in the place of a directory',
      async (folder) => {
        await mkdir(join(folder, 'from/hall'))
        await mkdir(join(folder, 'elsewhere'))
        await symlink('../elsewhere', join(folder, 'to/hall'))
      },
    ],
    ['a fifo in the source', (folder) => run('mkfifo', [join(folder, 'from/queue')])],
    [
      'two files that took each other’s times',
      async (folder) => {
        for (const [place, times] of [
          ['from', [100, 200]],
          ['to', [200, 100]],
        ] as const) {
          await writeFile(join(folder, place, 'p'), 'x')
          await writeFile(join(folder, place, 'q'), 'x')
          await utimes(join(folder, place, 'p'), times[0], times[0])
          await utimes(join(folder, place, 'q'), times[1], times[1])
        }
      },
    ],
  ]
  test.each(differences)('%s is found as ever', async (_, damage) => {
    await using temp = await tempFolder()
    await twins(temp.path)
    await damage(temp.path)
    const usual = await surveyed(temp.path)
    const expected = await fates(usual)
    await rm(usual.manifestPath)
    const quick = await surveyed(temp.path, {}, { deliveredBefore: true })
    expect(await fates(quick)).toEqual(expected)
    expect(shownOf(quick)).toEqual(shownOf(usual))
  })

  const others: readonly (readonly [string, Asked, boolean])[] = [
    ['contents are to be compared', { compare: 'checksum' }, false],
    ['the proof reads contents', {}, true],
    ['names are left out', { exclude: ['one'] }, false],
    ['links are followed', { symlinks: 'follow' }, false],
    ['links are left out', { symlinks: 'skip' }, false],
  ]
  test.each(others)('the usual way is gone when %s', async (_, asked, proveAll) => {
    await using temp = await tempFolder()
    await twins(temp.path)
    const usual = await surveyed(temp.path, asked, { proveAll })
    const expected = await fates(usual)
    await rm(usual.manifestPath)
    const quick = await surveyed(temp.path, asked, { proveAll, deliveredBefore: true })
    expect(await fates(quick)).toEqual(expected)
  })
})
