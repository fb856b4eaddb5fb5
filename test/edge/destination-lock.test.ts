import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  claimDestination,
  releaseDestination,
  type DestinationHolder,
} from '../../src/edge/destination-lock.ts'
import { isOwnLockName } from '../../src/inventory/own-lock.ts'
import { tempFolder } from '../rig/folder.ts'

const holder = (run: string): DestinationHolder => ({
  run,
  folder: `/runs/${run}`,
  who: 'alice on login',
  since: '2026-11-26T10:00:00Z',
})
const never = (): Promise<boolean> => Promise.resolve(false)
const always = (): Promise<boolean> => Promise.resolve(true)

describe('the lock of a destination', () => {
  test('is had by one run, as often as that asks, and by the next when it is given back', async () => {
    await using temp = await tempFolder()
    const first = await claimDestination(temp.path, holder('a'), never)
    expect(first).toMatchObject({ kind: 'ours' })
    expect(await claimDestination(temp.path, holder('a'), never)).toEqual(first)
    const second = await claimDestination(temp.path, holder('b'), never)
    expect(second).toEqual({ kind: 'theirs', file: first.file, holder: holder('a') })
    await releaseDestination(temp.path, 'b')
    expect(await claimDestination(temp.path, holder('b'), never)).toMatchObject({ kind: 'theirs' })
    await releaseDestination(temp.path, 'a')
    expect(await readdir(temp.path)).toEqual([])
    expect(await claimDestination(temp.path, holder('b'), never)).toMatchObject({ kind: 'ours' })
  })

  test('lies above a folder that is not there yet, and is found when that is', async () => {
    await using temp = await tempFolder()
    const folder = join(temp.path, 'a/b/c')
    const other = join(temp.path, 'a/b/d')
    const { file } = await claimDestination(folder, holder('a'), never)
    expect(file).toMatch(new RegExp(`^${temp.path}/\\.soxplan-[0-9a-f]{16}\\.lock$`))
    expect(isOwnLockName((file ?? '').slice(temp.path.length + 1))).toBe(true)
    expect(await claimDestination(other, holder('b'), never)).toMatchObject({ kind: 'ours' })
    await mkdir(folder, { recursive: true })
    expect(await claimDestination(folder, holder('b'), never)).toMatchObject({ kind: 'theirs', file })
    await releaseDestination(folder, 'a')
    await releaseDestination(other, 'b')
    expect(await readdir(temp.path)).toEqual(['a'])
  })

  test('of a run that is over is taken over, by one of many', async () => {
    await using temp = await tempFolder()
    await claimDestination(temp.path, holder('dead'), never)
    const dead = ({ run }: DestinationHolder): Promise<boolean> => Promise.resolve(run === 'dead')
    const takers = Array.from({ length: 20 }, (_, n) =>
      claimDestination(temp.path, holder(`taker ${n}`), dead),
    )
    const claims = await Promise.all(takers)
    expect(claims.filter(({ kind }) => kind === 'ours')).toHaveLength(1)
    const [name = ''] = await readdir(temp.path)
    const left = JSON.parse(await readFile(join(temp.path, name), 'utf8')) as DestinationHolder
    const [winner] = claims.flatMap((claim, n) => (claim.kind === 'ours' ? [`taker ${n}`] : []))
    expect(left.run).toBe(winner)
    expect(await readdir(temp.path)).toHaveLength(1)
    expect(await claimDestination(temp.path, holder('next'), always)).toMatchObject({ kind: 'ours' })
  })
})
