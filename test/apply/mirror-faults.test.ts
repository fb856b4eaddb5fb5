import { execFile } from 'node:child_process'
import { readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import {
  isThere,
  lastLines,
  named,
  openCase,
  processesOf,
  realProgram,
  until,
  withVariables,
  writePlan,
} from './case.ts'

const run = promisify(execFile)

/** The uid that owns nothing. */
const NOBODY = 65534

const MIRROR = { mode: 'mirror', maxDelete: '100%' }

describe('a mirror, where something changes or fails on the way', () => {
  test('what changed after the preview stays, by name, and a directory that got something is not emptied', async () => {
    await using at = await openCase({ ...MIRROR, tool: 'rsync' })
    await writeTree(at.from, { a: 'a' })
    await writeTree(at.to, { grown: '1', same: '1', touched: '1', 'd/e': '1', 'swapped/in': '1' })
    const real = await realProgram('rsync')
    const outside = join(at.path, 'outside')
    // While the copy runs, others are at work in the destination.
    const env = await puppet(
      join(at.path, 'bin'),
      'rsync',
      `case "$1" in --version) exec ${real} "$@" ;; esac
      echo more >> ${at.to}/grown
      touch -d @5 ${at.to}/touched
      touch ${at.to}/d/late
      mv ${at.to}/swapped ${outside} && ln -s ${outside} ${at.to}/swapped
      exec ${real} "$@"`,
      withVariables({}),
    )
    const applied = await at.apply([], { env })
    expect(named(applied.stdout)).toEqual(
      [
        'd: is not empty any more and was not deleted; apply again to see what stands in it',
        'grown: changed at the destination after the preview and was not deleted; look at it, then apply again',
        'swapped/in: lies behind a symlink at the destination by now and was not deleted; remove the link, then apply again',
        'swapped: changed at the destination after the preview and was not deleted; look at it, then apply again',
        'touched: changed at the destination after the preview and was not deleted; look at it, then apply again',
      ].sort(),
    )
    expect(lastLines(applied.stdout, 1)).toEqual([
      'Everything was delivered, but NOT everything that is too much was deleted: 5 entries left. Mend the causes above and apply again.',
    ])
    expect(applied.exitCode).toBe(1)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual([
      'a',
      'd',
      'd/late',
      'grown',
      'swapped',
      'touched',
    ])
    expect(await readFile(join(outside, 'in'), 'utf8')).toBe('1')
    expect((await at.apply()).exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
    expect(await readFile(join(outside, 'in'), 'utf8')).toBe('1')
  })

  test('what stays stops the transfers that come after, also behind a fixup', async () => {
    await using at = await openCase()
    const [more, next] = [join(at.path, 'more'), join(at.path, 'next')]
    await writePlan(at.path, {
      transfers: {
        data: { from: at.from, to: at.to, tool: 'rclone', fixup: { from: at.from }, ...MIRROR },
        next: { from: more, to: next, after: ['data'] },
      },
    })
    await writeTree(at.from, { 'd/a': 'a' })
    await writeTree(more, { b: 'b' })
    await writeTree(at.to, { old: 'o' })
    const real = await realProgram('rclone')
    const env = await puppet(
      join(at.path, 'bin'),
      'rclone',
      `[[ $1 == version ]] || echo more >> ${at.to}/old\nexec ${real} "$@"`,
      withVariables({}),
    )
    const applied = await at.apply([], { env })
    expect(applied.exitCode).toBe(1)
    expect(applied.stdout).toContain(
      '  old: changed at the destination after the preview and was not deleted; look at it, then apply again\n',
    )
    expect(await isThere(join(next, 'b'))).toBe(false)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual(['d', 'd/a', 'old'])
  })

  test('one failed name, and nothing is deleted', async () => {
    await using at = await openCase({ ...MIRROR, tool: 'rsync', retries: { attempts: 1 } })
    await writeTree(at.from, { a: 'a', b: 'b' })
    await writeTree(at.to, { old: 'o' })
    const real = await realProgram('rsync')
    const env = await puppet(
      join(at.path, 'bin'),
      'rsync',
      `case "$1" in --version) exec ${real} "$@" ;; esac
      rm -f ${at.from}/b
      exec ${real} "$@"`,
      withVariables({}),
    )
    const applied = await at.apply([], { env })
    expect(applied.exitCode).toBe(1)
    expect(named(applied.stdout)).toEqual([
      'b: was removed from the source after the listing; apply again if that was not meant',
      'nothing was deleted, because not all else was delivered and proven',
    ])
    expect(await readFile(join(at.to, 'old'), 'utf8')).toBe('o')
    const again = await at.apply()
    expect(again.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })

  test('killed in the middle of deleting, it goes on where it was, and the counts are of all', async () => {
    await using at = await openCase({ ...MIRROR, tool: 'rsync' })
    await writeTree(at.from, { a: 'a' })
    const many = Array.from({ length: 2500 }, (_, n) => [`d${n % 3}/f${n}`, 'x'] as const)
    await writeTree(at.to, Object.fromEntries(many))
    const real = await realProgram('rm')
    // The third call waits.
    const env = await puppet(
      join(at.path, 'bin'),
      'rm',
      `case "$*" in *./d*/f*) ;; *) exec ${real} "$@" ;; esac
      echo >> ${at.path}/calls
      if (($(wc -l < ${at.path}/calls) == 3)); then touch ${at.path}/waits; until [[ -e ${at.path}/go ]]; do sleep 0.1; done; fi
      exec ${real} "$@"`,
      withVariables({}),
    )
    const first = at.start([], { env })
    await until(() => isThere(join(at.path, 'waits')))
    first.child.kill('SIGKILL')
    await first.ended
    await until(async () => (await processesOf(at.path)).length === 0)
    const left = [...(await listTree(at.to)).keys()].filter((name) => name.includes('/'))
    expect(left.length).toBe(500)
    // What comes in the meantime was in no preview.
    await writeTree(at.to, { 'd1/late': 'late' })
    await writeFile(join(at.path, 'go'), '')
    const second = await at.apply([], { env })
    expect(second.stderr).toMatch(/^1 of 1 shard proven, 0 B in 0 shards left, 2,503 to delete\.$/m)
    expect(second.stdout).toContain(`in ${at.to}; 2,502 (2.4 KiB) deleted`)
    expect(named(`\n${second.stdout}`)).toEqual([
      'd1: is not empty any more and was not deleted; apply again to see what stands in it',
    ])
    expect(second.exitCode).toBe(1)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual(['a', 'd1', 'd1/late'])
  })

  test('a place that may not be written keeps its files, by name', async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { a: 'a' })
    await writeTree(at.to, [
      { kind: 'file', path: 'shut/file', content: 'f' },
      { kind: 'directory', path: 'shut', mode: 0o555 },
    ])
    const isRoot = process.getuid?.() === 0
    if (isRoot) await run('chown', ['-R', String(NOBODY), at.path])
    const applied = await at.apply([], {
      env: withVariables({ HOME: at.path }),
      ...(isRoot ? { uid: NOBODY } : {}),
    })
    expect(named(applied.stdout)).toEqual([
      'shut/file: could not be deleted; check permissions at the destination, then apply again',
      'shut: is not empty any more and was not deleted; apply again to see what stands in it',
    ])
    expect(applied.exitCode).toBe(1)
  })

  test('a directory that was moved away and linked back is not walked into', async () => {
    await using at = await openCase(MIRROR)
    await writeTree(at.from, { 'a/x': 'x' })
    await writeTree(at.to, { 'a/x': 'x', 'b/y': 'y' })
    await rename(join(at.to, 'b'), join(at.path, 'elsewhere'))
    await symlink(join(at.path, 'elsewhere'), join(at.to, 'b'))
    expect((await at.apply()).exitCode).toBe(0)
    expect(await readFile(join(at.path, 'elsewhere/y'), 'utf8')).toBe('y')
    await rm(join(at.path, 'elsewhere'), { recursive: true })
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })
})
