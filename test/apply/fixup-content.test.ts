import { lstat, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { named, openCase, realProgram, withVariables } from './case.ts'

const OLD = 1_000_000_000

describe('a fixup never writes content', { timeout: 180_000 }, () => {
  test('names of one size and other content stay as they are, hard links too, and the proof names them', async () => {
    await using at = await openCase({
      tool: 'rclone',
      verify: 'checksum',
      fixup: { preserve: ['permissions', 'hardlinks'] },
    })
    await writeTree(at.from, [
      { kind: 'file', path: 'a', content: 'same size', mode: 0o640, mtime: OLD },
      { kind: 'hardlink', path: 'b', to: 'a' },
      { kind: 'hardlink', path: 'c', to: 'a' },
    ])
    await writeTree(at.to, [
      { kind: 'file', path: 'a', content: 'same size', mtime: OLD },
      { kind: 'file', path: 'b', content: 'SAME SIZE', mtime: OLD },
      { kind: 'file', path: 'c', content: 'same size', mtime: OLD },
    ])
    const { exitCode, stdout } = await at.apply()
    expect(exitCode).toBe(1)
    expect(named(stdout)).toEqual([
      'b: differs from the source and was not written over; look at both, remove the wrong one, then apply again',
      'hardlinks not preserved: 1 entry (b); they stay files of their own, because their contents differ or the link was not allowed',
    ])
    expect(await readFile(join(at.to, 'b'), 'utf8')).toBe('SAME SIZE')
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => lstat(join(at.to, name))))
    expect([a?.nlink, b?.nlink, a?.ino === c?.ino]).toEqual([2, 1, true])
    expect([a, b, c].map((one) => (one?.mode ?? 0) & 0o777)).toEqual([0o640, 0o640, 0o640])
  })

  test('a third place with other sizes, kinds and targets, and without a name: each is named and left alone', async () => {
    await using at = await openCase()
    await using other = await openCase({
      from: at.from,
      to: at.to,
      tool: 'rclone',
      fixup: { from: join(at.path, 'origin'), preserve: ['permissions'] },
    })
    await writeTree(at.from, { equal: 'x', longer: 'x', file: 'x', absent: 'x' })
    await symlink('here', join(at.from, 'link'))
    const origin = join(at.path, 'origin')
    await writeTree(origin, [
      { kind: 'file', path: 'equal', content: 'y', mode: 0o600 },
      { kind: 'file', path: 'longer', content: 'longer', mode: 0o600 },
      { kind: 'directory', path: 'file' },
      { kind: 'symlink', path: 'link', target: 'there' },
      { kind: 'file', path: 'extra', content: 'extra' },
    ])
    const { exitCode, stdout } = await other.apply()
    expect(exitCode).toBe(1)
    const differs =
      'is not the same where the fixup reads attributes, by size, kind or what it leads to, and was left as it is; look at both, then apply again'
    expect(named(stdout)).toEqual([
      'absent: does not exist where the fixup reads attributes; correct `from` under `fixup`, or remove the file, then apply again',
      `file: ${differs}`,
      `link: ${differs}`,
      `longer: ${differs}`,
    ])
    expect(await compareTrees(at.from, at.to)).toEqual([])
    expect((await lstat(join(at.to, 'equal'))).mode & 0o777).toBe(0o600)
  })

  test('a file that grows in the moment before rsync runs is not written over', async () => {
    await using at = await openCase({ tool: 'rclone', fixup: { preserve: ['permissions'] } })
    await writeTree(at.from, [
      { kind: 'file', path: 'a', content: 'listed', mode: 0o600 },
      { kind: 'file', path: 'b', content: 'listed', mode: 0o600 },
    ])
    const real = await realProgram('rsync')
    const script = `[[ "$*" != *--existing* ]] || printf grown >>'${at.to}/a'; exec ${real} "$@"`
    const env = await puppet(join(at.path, 'bin'), 'rsync', script, withVariables({}))
    const { exitCode, stdout } = await at.apply([], { env })
    expect(await readFile(join(at.to, 'a'), 'utf8')).toMatch(/^listed(grown)+$/)
    expect((await lstat(join(at.to, 'b'))).mode & 0o777).toBe(0o600)
    expect(exitCode).toBe(1)
    expect(named(stdout).filter((line) => line.startsWith('a: '))).toHaveLength(1)
  })
})
