import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { hostileTree } from '../rig/hostile.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import {
  isThere,
  lastLines,
  named,
  openCase,
  processesOf,
  realProgram,
  until,
  withVariables,
} from './case.ts'
import { attributesOf, command, isRoot } from './fixup-case.ts'

const NOBODY = 65_534
const OLD = 1_000_000_000

// Each test applies a plan of four stages several times.
const timeout = 180_000

/** Files, closed and set-group directories, and a symlink, none of which has today's attributes. */
const TREE: readonly TreeEntry[] = [
  { kind: 'file', path: 'plain', content: 'p', mode: 0o640, mtime: OLD },
  { kind: 'file', path: 'd/program', content: '#!', mode: 0o755, mtime: OLD + 1 },
  { kind: 'file', path: 'd/deep/er/secret', content: 's', mode: 0o400, mtime: OLD + 2 },
  { kind: 'file', path: `d/ "it's\n$(touch X)"`, content: 'odd', mode: 0o604, mtime: OLD + 3 },
  { kind: 'file', path: Buffer.from('d/\xff\xfe', 'latin1'), content: 'bytes', mode: 0o600, mtime: OLD + 4 },
  { kind: 'symlink', path: 'd/link', target: 'program' },
  { kind: 'directory', path: 'd/deep/er', mode: 0o555, mtime: OLD + 5 },
  { kind: 'directory', path: 'd/deep', mode: 0o500, mtime: OLD + 6 },
  { kind: 'directory', path: 'd', mode: 0o2755, mtime: OLD + 7 },
  { kind: 'directory', path: 'empty', mode: 0o711, mtime: OLD + 8 },
]

/** Owners that no process of a test has. */
async function giveAway(folder: string): Promise<void> {
  await command('chown', '-hR', '1234:2345', '--', folder)
  await command(
    'chown',
    '-h',
    '77:88',
    '--',
    join(folder, 'plain'),
    join(folder, 'd/link'),
    join(folder, 'd/deep'),
  )
  // A change of owner takes set-id bits away.
  await command('chmod', '2755', '--', join(folder, 'd'))
  await command('touch', '-h', '-d', '@1100000000', '--', join(folder, 'd/link'))
  await command('touch', '-d', '@1200000000', '--', folder)
}

describe.runIf(isRoot)('fixup as root', { timeout }, () => {
  test.each(['rclone', 'rsync'] as const)(
    'behind %s: all attributes, directories last, and then nothing is left to do',
    async (tool) => {
      await using at = await openCase({ tool, fixup: {} })
      await writeTree(at.from, TREE)
      await giveAway(at.from)
      const wanted = await attributesOf(at.from)
      const first = await at.apply([], { env: withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' }) })
      expect(first.stdout).toContain(
        `\n  fixup      owner, group, permissions, times as in ${at.from}, by rsync; owners and groups by name\n`,
      )
      expect(first.stdout).toMatch(
        / {2}data\.fixup: \d+ shards, 2 workers, after data\.copy\n {2}data\.verify: \d+ shards, 2 workers, after data\.fixup\n {2}data\.directories: 1 shard, 1 worker, after data\.verify\n/,
      )
      expect(lastLines(first.stdout, 1)[0]).toBe(
        `data: 10 entries (12 B) delivered, verified by name, size and modification time, in ${at.to}`,
      )
      expect(first.exitCode).toBe(0)
      expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
      expect(await attributesOf(at.to)).toEqual(wanted)
      expect(await attributesOf(at.from)).toEqual(wanted)
      const second = await at.apply()
      expect(lastLines(second.stdout, 1)).toEqual(['Nothing is left to do.'])
      expect(second.exitCode).toBe(0)
    },
  )

  test('a copy that somebody made by hand gets its attributes, and nothing is copied', async () => {
    await using at = await openCase({ tool: 'rclone', fixup: {} })
    await writeTree(at.from, TREE)
    await command('rsync', '--recursive', '--links', '--times', `${at.from}/`, `${at.to}/`)
    await giveAway(at.from)
    await writeFile(join(at.from, 'fresh'), 'new')
    const before = await lstat(join(at.to, 'plain'))
    const applied = await at.apply()
    expect(applied.stdout).toContain(
      '  + new      1 file (3 B)\n  @ fixup    5 files (12 B), 4 directories, 1 symlink: there already, only attributes are set\n',
    )
    expect(lastLines(applied.stdout, 1)[0]).toBe(
      `data: 1 entry (3 B) delivered, verified by name, size and modification time, in ${at.to}; attributes of 10 more set`,
    )
    expect(applied.exitCode).toBe(0)
    expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
    expect((await lstat(join(at.to, 'plain'))).ino).toBe(before.ino)
    await command('chown', '-R', '5:6', '--', at.to)
    const again = await at.apply()
    expect(again.stdout).toMatch(
      /\n {2}data\.fixup: 1 shard, 1 worker\n {2}data\.directories: 1 shard, 1 worker, after data\.fixup\n/,
    )
    expect(lastLines(again.stdout, 1)[0]).toBe(`data: attributes of 11 entries set, in ${at.to}`)
    expect(again.exitCode).toBe(0)
    expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('a hostile tree, with hard links, ACLs and extended attributes', async () => {
    await using at = await openCase({
      tool: 'rclone',
      fixup: {
        preserve: ['owner', 'group', 'permissions', 'times', 'acls', 'xattrs', 'hardlinks'],
        owners: 'ids',
      },
    })
    await hostileTree(at.from, { withoutSpecials: true })
    await command(
      'setfattr',
      '-n',
      'user.origin',
      '-v',
      'mars',
      join(at.from, 'plain/a'),
      join(at.from, 'plain'),
    )
    await command('setfacl', '-m', 'u:1234:rw-', join(at.from, 'plain/a'))
    await command('setfacl', '-m', 'g:2345:r-x', join(at.from, 'plain'))
    await command('chown', '-hR', '1234:2345', '--', at.from)
    const acls = async (folder: string): Promise<string> => command('getfacl', '-pRn', '-P', '--', folder)
    const applied = await at.apply([], { env: withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' }) })
    expect(applied.stdout).not.toContain('not preserved')
    expect(applied.exitCode).toBe(0)
    expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
    expect((await acls(at.to)).replaceAll(at.to, '')).toBe((await acls(at.from)).replaceAll(at.from, ''))
    for (const name of ['plain/a', 'plain'])
      expect(await command('getfattr', '--only-values', '-n', 'user.origin', join(at.to, name))).toBe('mars')
    const files = await Promise.all(
      ['hard/one', 'hard/two', 'plain/three'].map((name) => lstat(join(at.to, name))),
    )
    expect(new Set(files.map(({ ino }) => ino)).size).toBe(1)
    expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
  })
})

describe('a fixup', { timeout }, () => {
  test.runIf(isRoot)(
    'by a user who may give nothing away: counted, named, and no failure; then nothing is left',
    async () => {
      await using at = await openCase({ tool: 'rclone', fixup: {} })
      await writeTree(at.from, { a: '1', b: '2', 'd/c': '3', 'd/e': '4' })
      await command('chown', '-R', String(NOBODY), at.path)
      await command('chown', '-R', '1234:2345', at.from)
      await command('chmod', '-R', 'a+rX', at.from)
      const as = { uid: NOBODY, env: withVariables({ HOME: at.path }) }
      const { exitCode, stdout } = await at.apply([], as)
      expect(named(stdout)).toEqual([
        expect.stringMatching(
          /^group not preserved: 6 entries \(.+, .+, .+ and others\); this user may give files only to groups that it is in and that the destination knows$/,
        ),
        expect.stringMatching(
          /^owner not preserved: 6 entries \(.+, .+, .+ and others\); only root may give files away, and only to users that the destination knows$/,
        ),
      ])
      expect(exitCode).toBe(0)
      expect(await attributesOf(at.to, '%m %T@')).toEqual(await attributesOf(at.from, '%m %T@'))
      expect(lastLines((await at.apply([], as)).stdout, 1)).toEqual(['Nothing is left to do.'])
    },
  )

  test('a closed directory takes what is new all the same, and is closed again', async () => {
    await using at = await openCase({ tool: 'rclone', fixup: {} })
    await writeTree(at.from, TREE)
    await command('chmod', '555', at.from)
    if (isRoot) await command('chown', '-hR', String(NOBODY), at.path)
    const as = { env: withVariables({ HOME: at.path }), ...(isRoot ? { uid: NOBODY } : {}) }
    expect((await at.apply([], as)).exitCode).toBe(0)
    const fields = '%m %U %T@'
    expect(await attributesOf(at.to, fields)).toEqual(await attributesOf(at.from, fields))
    for (const name of ['d/deep/er/new', 'new']) {
      await command('chmod', 'u+w', join(at.from, name, '..'))
      await writeTree(at.from, { [name]: 'n' })
      if (isRoot) await command('chown', String(NOBODY), join(at.from, name))
      await command('chmod', 'u-w', join(at.from, name, '..'))
    }
    const second = await at.apply([], as)
    expect(second.stdout).toContain('  + new      2 files (2 B)\n')
    expect(second.exitCode).toBe(0)
    expect(await attributesOf(at.to, fields)).toEqual(await attributesOf(at.from, fields))
    expect(lastLines((await at.apply([], as)).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('of a mirror: what is too much goes before directories get their times', async () => {
    await using at = await openCase({ tool: 'rclone', mode: 'mirror', maxDelete: '100%', fixup: {} })
    await writeTree(at.from, TREE)
    expect((await at.apply()).exitCode).toBe(0)
    await writeTree(at.to, { 'd/extra': 'x', 'more/extra': 'x' })
    const second = await at.apply()
    expect(second.stdout).toMatch(/data\.directories: 1 shard, 1 worker, after data\.prune\n/)
    expect(second.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
    expect(await attributesOf(at.to)).toEqual(await attributesOf(at.from))
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('of a single file under a new name', async () => {
    await using at = await openCase()
    await writeTree(at.from, [{ kind: 'file', path: "it's", content: 'x', mode: 0o604, mtime: OLD }])
    await using one = await openCase({
      from: join(at.from, "it's"),
      to: join(at.to, 'new name'),
      tool: 'rclone',
      fixup: {},
    })
    await mkdir(at.to)
    const { exitCode, stdout } = await one.apply()
    expect(stdout).not.toContain('data.directories')
    expect(exitCode).toBe(0)
    expect((await lstat(join(at.to, 'new name'))).mode & 0o777).toBe(0o604)
    expect(lastLines((await one.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test.each(['--files-from', '--dirs'])('killed while its rsync has %s, is gone on with', async (word) => {
    await using at = await openCase({
      tool: 'rclone',
      fixup: { preserve: ['permissions', 'times', 'hardlinks'] },
    })
    await writeTree(at.from, TREE)
    await writeTree(at.from, [
      { kind: 'file', path: 'l/one', content: 'linked' },
      { kind: 'hardlink', path: 'l/two', to: 'l/one' },
    ])
    const real = await realProgram('rsync')
    const script = `
      [[ "$*" == *${word}* && ! -e ${at.path}/called ]] || exec ${real} "$@"
      touch ${at.path}/called
      sleep 1000`
    const env = await puppet(join(at.path, 'bin'), 'rsync', script, withVariables({}))
    const first = at.start([], { env })
    await until(() => isThere(join(at.path, 'called')))
    first.child.kill('SIGKILL')
    expect((await first.ended).exitCode).toBe(137)
    await until(async () => (await processesOf(at.path)).length === 0)
    const second = await at.apply([], { env })
    expect(second.stderr).toMatch(/^Run \S+ of plan \S+ is unfinished; going on with what has no proof yet/m)
    expect(second.exitCode).toBe(0)
    expect(await attributesOf(at.to, '%m %T@')).toEqual(await attributesOf(at.from, '%m %T@'))
    expect(await compareTrees(at.from, at.to, { mtimes: true, modes: true })).toEqual([])
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('whose place is of another kind, or not there, says so before anything moves', async () => {
    await using at = await openCase()
    await writeTree(at.from, { a: 'x' })
    const place = join(at.from, 'a')
    await using odd = await openCase({
      from: at.from,
      to: at.to,
      fixup: { from: place, preserve: ['owner'] },
    })
    const first = await odd.apply()
    expect(first.exitCode).toBe(1)
    expect(first.stderr).toContain(
      `error SX166: transfer data: ${place}, where the fixup reads attributes, is a file, and the source is a directory\n  Correct \`from\` under \`fixup\`: it has to hold what the source holds, under the same names.\n`,
    )
    await using gone = await openCase({
      from: at.from,
      to: at.to,
      fixup: { from: `${at.path}/none`, preserve: ['owner'] },
    })
    const second = await gone.apply()
    expect(second.exitCode).toBe(1)
    expect(second.stderr).toContain(
      `error SX201: transfer data, where its fixup reads attributes: the source ${at.path}/none does not exist\n  Correct \`from\` under \`fixup\`.\n`,
    )
  })
})
