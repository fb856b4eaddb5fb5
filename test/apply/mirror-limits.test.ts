/** What a mirror refuses to do, and what makes it do it all the same. */

import { chmod, mkdir, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listTree } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, named, openCase, realProgram, withVariables, writePlan, type Case } from './case.ts'

/** The same names on both sides, equal, and `extra` more at the destination. */
async function both(at: Case, same: number, extra: number): Promise<void> {
  const files = (count: number, name: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}${n}`, 'x']))
  await writeTree(at.from, files(same, 'f'))
  await writeTree(at.to, { ...files(same, 'f'), ...files(extra, 'old') })
  for (let n = 0; n < same; n++)
    for (const folder of [at.from, at.to]) await utimes(join(folder, `f${n}`), 1_600_000_000, 1_600_000_000)
}

const WHY = 'A source that lost that much is often one that is not mounted, or the wrong one.'

describe('a mirror', () => {
  test('of an empty source is refused before anything is done, and done with --confirm', async () => {
    await using at = await openCase({ mode: 'mirror', maxDelete: '100%' })
    await writeTree(at.to, { a: 'aa', 'd/b': 'b' })
    const error = [
      `error SX351: transfer data: the source is empty, and \`mode: mirror\` would delete 3 of the 3 entries in ${at.to} (3 B)`,
      '  A source that is empty is often one that is not mounted, or the wrong one.',
      '  Correct `from`, `include` or `exclude`; if all of it is meant, give the same command with --confirm data.',
    ].join('\n')
    for (const refused of [await at.plan(), await at.apply()]) {
      expect(refused.exitCode).toBe(1)
      expect(refused.stdout).toContain(
        `data, to delete in ${at.to}: 2 files (3 B), 1 directory\n  a\n  d/b\n  d/\n`,
      )
      expect(refused.stderr).toContain(error)
    }
    expect((await listTree(at.to)).size).toBe(3)
    expect((await at.plan(['--confirm', 'data'])).exitCode).toBe(0)
    const done = await at.apply(['--confirm', 'data'])
    expect(lastLines(done.stdout, 1)).toEqual([`data: nothing was left to copy to ${at.to}; 3 (3 B) deleted`])
    expect(done.exitCode).toBe(0)
    expect((await listTree(at.to)).size).toBe(0)
  })

  test('that would delete more than 10 % is refused with the numbers, and done with --confirm', async () => {
    await using at = await openCase({ mode: 'mirror' })
    await both(at, 16, 2)
    const refused = await at.apply()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(
      [
        `error SX352: transfer data: \`mode: mirror\` would delete 2 of the 18 entries in ${at.to} (11.2%), and \`maxDelete\` is 10%`,
        `  ${WHY}`,
        '  Look at the names above; if all of it is meant, give the same command with --confirm data.',
      ].join('\n'),
    )
    expect((await listTree(at.to)).size).toBe(18)
    expect((await at.apply(['--confirm', 'data'])).exitCode).toBe(0)
    expect((await listTree(at.to)).size).toBe(16)
  })

  test('at the limit is done without a word', async () => {
    await using at = await openCase({ mode: 'mirror' })
    await both(at, 18, 2)
    expect((await at.apply()).exitCode).toBe(0)
    expect((await listTree(at.to)).size).toBe(18)
  })

  test.each([
    [{ maxDelete: '2.5%' }, 39, 1, 0],
    [{ maxDelete: '2.5%' }, 38, 1, 1],
    [{ maxDelete: '0%' }, 38, 1, 1],
    [{ exclude: ['f*'], maxDelete: '50%' }, 10, 1, 1],
  ])('with %j, %i that stay and %i that go: exit %i', async (limit, same, extra, exitCode) => {
    await using at = await openCase({ mode: 'mirror', ...limit })
    await both(at, same, extra)
    if ('exclude' in limit) await writeTree(at.from, { other: 'o' })
    expect((await at.apply()).exitCode).toBe(exitCode)
    expect((await listTree(at.to)).size).toBe(same + exitCode)
  })

  test('--confirm of a transfer that is none, or no mirror', async () => {
    await using at = await openCase()
    const [other, third] = [join(at.path, 'other'), join(at.path, 'third')]
    await writePlan(at.path, {
      transfers: {
        data: { from: at.from, to: at.to, mode: 'mirror' },
        copied: { from: other, to: third },
      },
    })
    const refused = await at.apply(['--confirm', 'copied', '--confirm', 'dada', '--confirm', 'data'])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toBe(
      ['copied', 'dada']
        .map(
          (name) =>
            `error SX357: --confirm ${name}: the plan has no transfer of that name with \`mode: mirror\`\n  Name one of these, or leave it out: data.\n`,
        )
        .join('\n'),
    )
    await writePlan(at.path, { transfers: { copied: { from: other, to: third } } })
    expect((await at.plan(['--confirm', 'copied'])).stderr).toContain('  Leave it out: nothing is deleted.\n')
  })

  test('of a single file, and into a destination that holds another place of the plan', async () => {
    await using at = await openCase({ mode: 'mirror' })
    await writeTree(at.path, { 'one/file': 'f', 'big/source/a': 'a' })
    await writePlan(at.path, {
      transfers: { data: { from: join(at.path, 'one/file'), to: `${at.to}/`, mode: 'mirror' } },
    })
    const single = await at.apply(['--confirm', 'data'])
    expect(single.stderr).toBe(
      'error SX355: transfer data: a single file can not be mirrored\n  Everything else beside it would be deleted.\n  Write `mode: copy`, or name a directory as `from`.\n',
    )
    const big = join(at.path, 'big')
    await symlink(join(big, 'source'), join(at.path, 'link'))
    await writePlan(at.path, {
      transfers: { data: { from: join(at.path, 'link'), to: big, mode: 'mirror' } },
    })
    const inside = await at.apply(['--confirm', 'data'])
    expect(inside.stderr).toContain(
      [
        `error SX356: transfer data: the destination ${big} holds the source ${at.path}/link of transfer data`,
        '  A mirror would delete that source as something that does not belong there.',
        '  Choose a destination that holds no other place of the plan, or write `mode: copy`.',
      ].join('\n'),
    )
    await symlink(big, join(at.path, 'other name'))
    await writePlan(at.path, {
      transfers: {
        data: { from: at.from, to: big, mode: 'mirror' },
        other: { from: join(at.path, 'one'), to: join(at.path, 'other name/sub') },
      },
    })
    const other = await at.apply(['--confirm', 'data'])
    expect(other.stderr).toContain(
      `error SX356: transfer data: the destination ${big} holds the destination ${at.path}/other name/sub of transfer other\n`,
    )
    expect([single.exitCode, inside.exitCode, other.exitCode]).toEqual([1, 1, 1])
    expect([...(await listTree(big)).keys()].sort()).toEqual(['source', 'source/a'])
  })

  test('deletes nothing where the plan refuses an entry, and says so before and after', async () => {
    await using at = await openCase({ mode: 'mirror', maxDelete: '100%' })
    await writeTree(at.from, { a: 'a', b: 'b' })
    await writeTree(at.to, { 'a/in': 'i', old: 'o' })
    const applied = await at.apply()
    expect(applied.stdout).toContain('  deletes    nothing, because 1 entry can not be delivered\n')
    expect(applied.stdout).toContain('; est. ')
    expect(named(applied.stdout)).toEqual([
      'a: refused, because a directory stands in its place',
      'nothing was deleted, because 1 entry can not be delivered',
    ])
    expect(applied.exitCode).toBe(1)
    expect([...(await listTree(at.to)).keys()].sort()).toEqual(['a', 'a/in', 'b', 'old'])
  })

  // Root reads everything, so that a find that complains stands for a folder that is shut.
  test.each(['from', 'to'] as const)(
    'deletes nothing after an error in the listing of `%s`',
    async (side) => {
      await using at = await openCase({ mode: 'mirror', maxDelete: '100%' })
      await writeTree(at.from, { a: 'a', 'd/x': 'x' })
      await writeTree(at.to, { old: 'o', 'd/x': 'x' })
      const real = await realProgram('find')
      const env = await puppet(
        join(at.path, 'bin'),
        'find',
        `${real} "$@"; code=$?
      case "$PWD $*" in *${at[side]}/*) echo "find: '${at[side]}/d/shut': Permission denied" >&2; exit 1 ;; esac
      exit $code`,
        withVariables({}),
      )
      const applied = await at.apply([], { env })
      expect(applied.exitCode).toBe(1)
      expect((await listTree(at.to)).has('old')).toBe(true)
      if (side === 'to') {
        expect(applied.stderr).toContain(
          [
            `error SX353: the destination ${at.to} could not be listed in full, so nobody knows what is too much there`,
            `  '${at.to}/d/shut': Permission denied`,
            '  See that all of it can be read and that nobody changes it meanwhile, then plan again; or write `mode: copy`.',
          ].join('\n'),
        )
        expect((await listTree(at.to)).has('a')).toBe(false)
      } else {
        expect(applied.stdout).toMatch(
          /^ {2}deletes {4}nothing, because \d places? of the source could not be listed$/m,
        )
        expect((await listTree(at.to)).has('a')).toBe(true)
      }
    },
  )

  test('of two lists that can not be sorted', async () => {
    await using at = await openCase({ mode: 'mirror' })
    await writeTree(at.from, { a: 'a' })
    await writeTree(at.to, { b: 'b' })
    const env = await puppet(
      join(at.path, 'bin'),
      'sort',
      'echo "sort: no space" >&2; exit 2',
      withVariables({}),
    )
    const failed = await at.apply([], { env })
    expect(failed.stderr).toContain(
      'error SX354: cannot compare the names of source and destination: sort ended with exit code 2\n  sort: no space\n',
    )
    expect(failed.exitCode).toBe(1)
  })

  test('of a destination that shows other names than it takes', async () => {
    await using at = await openCase({ mode: 'mirror', maxDelete: '100%' })
    await both(at, 1, 0)
    const real = await realProgram('find')
    const env = await puppet(
      join(at.path, 'bin'),
      'find',
      `case "$*" in *${at.to}/*) ${real} "$@" | sed -z 's/ f0$/ F0/' ;; *) exec ${real} "$@" ;; esac`,
      withVariables({}),
    )
    const refused = await at.apply([], { env })
    expect(refused.stderr).toBe(
      [
        `error SX358: the destination ${at.to} shows names otherwise than it takes them`,
        '  A file of the source was found there, but stands in no listing under its name: so a file that looks too much may be one of the source.',
        '  Plan again; if it stays so, write `mode: copy` and delete by hand.\n',
      ].join('\n'),
    )
    expect(refused.exitCode).toBe(1)
  })

  test('into a folder that is new or empty deletes nothing and asks nobody', async () => {
    await using at = await openCase({ mode: 'mirror' })
    await writeTree(at.from, { a: 'a' })
    const shown = await at.plan()
    expect(shown.stdout).toContain(', 0 to delete; ')
    await mkdir(at.to)
    await chmod(at.to, 0o755)
    expect((await at.apply()).exitCode).toBe(0)
    expect([...(await listTree(at.to)).keys()]).toEqual(['a'])
  })
})
