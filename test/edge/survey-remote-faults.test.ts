import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Location } from '../../src/plan/plan.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { complaint, fates, surveyed } from './survey-rig.ts'
import { object, onDisk, store } from './survey-stores.ts'

describe('a remote that does not answer as it should', () => {
  test('is named with its own words', async () => {
    await using temp = await tempFolder()
    const disk = await onDisk(temp.path)
    await writeTree(join(temp.path, 'from'), { f: '' })
    const wrong: Location = { ...(disk('x') as Extract<Location, { kind: 'rclone' }>), remote: 'nosuch' }
    expect(await complaint(temp.path, { from: wrong })).toMatch(
      /^SX206 cannot look at store:x: .*config file$/,
    )
    expect(await complaint(temp.path, { from: disk('none') })).toBe(
      'SX201 the source store:none does not exist',
    )
    expect(await complaint(temp.path, { to: disk('from/f') })).toBe(
      'SX301 the destination store:from/f is not a directory',
    )
    expect(
      await complaint(temp.path, { from: disk('from') }, { rclonePath: join(temp.path, 'none') }),
    ).toMatch(/^SX208/)
  })

  test('a listing that breaks off is no listing', async () => {
    await using temp = await tempFolder()
    const { rclonePath, place } = await store(temp.path, [object('a')])
    const list = join(temp.path, 'bin/list')
    await promisify(execFile)('truncate', ['-s', '-3', list])
    expect(await complaint(temp.path, { from: place }, { rclonePath })).toBe(
      'SX206 cannot look at store:train: it ended in the middle of the listing',
    )
    await writeFile(list, '[\nnonsense\n]\n')
    expect(await complaint(temp.path, { from: place }, { rclonePath })).toBe(
      "SX207 line 2 of rclone's listing of store:train is no entry",
    )
  })

  test('a directory that can not be read is named, the rest is listed', async () => {
    await using temp = await tempFolder()
    const { rclonePath, place } = await store(temp.path, [object('a')])
    const body = `case "$*" in
  *features*) echo '{}' ;;
  *--stat*) echo '{"IsDir":true,"Name":""}' ;;
  *) cat ${temp.path}/bin/list
     echo '2026/11/22 10:00:00 NOTICE: nothing to see' >&2
     echo '2026/11/22 10:00:00 ERROR : shut: error listing: permission denied' >&2
     echo '2026/11/22 10:00:00 Failed to lsjson with 2 errors' >&2
     exit 1 ;;
esac`
    await puppet(join(temp.path, 'bin'), 'rclone', body)
    const found = await surveyed(temp.path, { from: place }, { rclonePath })
    expect(found.listingErrors).toEqual({
      count: 1,
      lines: ['ERROR : shut: error listing: permission denied'],
    })
    expect(await fates(found)).toEqual(['+f a'])
  })
})
