import { execFile } from 'node:child_process'
import { access, chmod, lstat, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from './rig/compare.ts'
import { tempFolder } from './rig/folder.ts'
import { HOSTILE_NAMES, hostileTree } from './rig/hostile.ts'
import { puppet } from './rig/puppet.ts'
import { runSoxplan } from './rig/soxplan.ts'
import { writeTree } from './rig/tree.ts'

const run = promisify(execFile)

describe('the rig', () => {
  test('writes every hostile name, byte for byte', async () => {
    await using temp = await tempFolder()
    await hostileTree(temp.path)
    const names = await listTree(temp.path)
    for (const name of HOSTILE_NAMES) expect(names.has(Buffer.from(name).toString('latin1'))).toBe(true)
    expect((await lstat(join(temp.path, 'fifo'))).isFIFO()).toBe(true)
    expect((await lstat(join(temp.path, 'hard/two'))).nlink).toBe(3)
    expect((await lstat(join(temp.path, 'sparse'))).blocks).toBeLessThan(100)
    expect((await lstat(join(temp.path, 'plain/a'))).mtimeMs).toBe(1_700_000_000_250)
  })

  test('names every difference of two trees', async () => {
    await using temp = await tempFolder()
    const [a, b] = [join(temp.path, 'a'), join(temp.path, 'b')]
    await hostileTree(a)
    await run('cp', ['-a', a, b])
    expect(await compareTrees(a, b, { mtimes: true, modes: true })).toEqual([])
    await rm(join(b, 'plain/a'))
    await rename(join(b, '-dash'), join(b, '-Dash'))
    await writeFile(join(b, '*'), 'other')
    await rm(join(b, 'links/up'))
    await symlink('.', join(b, 'links/up'))
    await rm(join(b, 'fifo'))
    await writeFile(join(b, 'fifo'), '')
    await chmod(join(b, 'plain'), 0o700)
    await utimes(join(b, 'sparse'), 5, 5)
    expect(await compareTrees(a, b, { mtimes: true, modes: true })).toEqual([
      'content: "*"',
      'extra: "-Dash"',
      'kind: "fifo": other / file',
      'missing: "-dash"',
      'missing: "plain/a"',
      expect.stringMatching(/^mode: "plain": 755 \/ 700$/),
      expect.stringMatching(/^mtime: "\*": 1700000000 \/ /),
      'mtime: "sparse": 1700000000 / 5',
      'target: "links/up": ".." / "."',
    ])
  })

  test('removes a folder that nobody may read', async () => {
    const temp = await tempFolder()
    await writeTree(temp.path, [
      { kind: 'file', path: 'shut/inner/file' },
      { kind: 'directory', path: 'shut', mode: 0o000 },
    ])
    await temp[Symbol.asyncDispose]()
    await expect(access(temp.path)).rejects.toThrow('ENOENT')
  })

  test('puts puppets first on PATH', async () => {
    await using temp = await tempFolder()
    const bin = join(temp.path, 'bin')
    const first = await puppet(bin, 'rclone', `echo "puppet: $1" | tee ${temp.path}/called`)
    const env = await puppet(bin, 'rsync', '#!/bin/sh\nexit 23', first)
    expect(env['PATH']).toBe(`${bin}:${process.env['PATH'] ?? ''}`)
    const { stdout } = await run('bash', ['-c', 'rclone "a b"; rsync || echo $?'], { env })
    expect(stdout).toBe('puppet: a b\n23\n')
    expect(await readFile(join(temp.path, 'called'), 'utf8')).toBe('puppet: a b\n')
  })
  test('runs soxplan with and without a terminal', async () => {
    await using temp = await tempFolder()
    await writeTree(temp.path, { 'from/a': 'a', 'plan.yaml': plan(temp.path) })
    const args = ['apply', 'plan.yaml', '--executor', 'local']
    const cwd = temp.path
    const version = await runSoxplan(['--version'], { cwd })
    expect(version).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
      stderr: '',
    })
    expect((await runSoxplan(args, { cwd })).exitCode).toBe(2)
    const no = await runSoxplan(args, { cwd, stdin: 'no\n', tty: { columns: 80 } })
    expect(no.exitCode).toBe(2)
    expect(no.stdout).toContain('Plan: 2 steps')
    expect((await runSoxplan(args, { cwd, stdin: 'yes\n', tty: { columns: 80 } })).exitCode).toBe(0)
    expect(await compareTrees(join(cwd, 'from'), join(cwd, 'to'), { mtimes: true })).toEqual([])
  })
})

function plan(folder: string): string {
  return JSON.stringify({
    version: 1,
    transfers: { t: { from: `${folder}/from`, to: `${folder}/to` } },
  })
}
