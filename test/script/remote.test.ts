import { readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readShard } from '../../src/edge/marks.ts'
import type { Location } from '../../src/plan/plan.ts'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder } from '../rig/folder.ts'
import { HOSTILE_NAMES } from '../rig/hostile.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { layStages, local, remote } from './stage.ts'
import { failed, log, verdict, verdicts, work } from './worker.ts'

const mtime = 1_700_000_000

/** Files of every name, in folders too. A remote holds no links and no empty folders. */
const tree: readonly TreeEntry[] = HOSTILE_NAMES.flatMap((path) => [
  { kind: 'file', path, content: Buffer.from(path), mtime } as const,
  {
    kind: 'file',
    path: Buffer.concat([Buffer.from('d/'), Buffer.from(path)]),
    content: 'in d',
    mtime,
  } as const,
])

/** A folder behind a remote of rclone's, with a config of its own. */
async function folderRemote(temp: string, name: string): Promise<Location> {
  const config = join(temp, 'rclone.conf')
  const section = `[${name}]\ntype = alias\nremote = ${join(temp, name)}\n`
  await writeFile(config, section, { flag: 'a' })
  return remote(name, '', config)
}

describe('to and from a remote', () => {
  test('every name goes up, is proven there, and comes back as it was', async () => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    const store = await folderRemote(temp.path, 'store')
    await writeTree(from.path, tree)
    const up = await layStages({
      from,
      to: store,
      state: join(temp.path, 'up'),
      tool: 'rclone',
      shards: 2,
      proof: 'size',
    })
    expect(await work(up.copy)).toMatchObject({ code: 0 })
    expect(await work(up.verify)).toMatchObject({ code: 0 })
    expect(await compareTrees(from.path, join(temp.path, 'store'), { mtimes: true })).toEqual([])
    const to = local(join(temp.path, 'to'))
    const state = join(temp.path, 'down')
    const down = await layStages({ from: store, to, state, tool: 'rclone', shards: 2, proof: 'size' })
    expect(await work(down.copy)).toMatchObject({ code: 0 })
    expect(await work(down.verify)).toMatchObject({ code: 0 })
    expect(await compareTrees(from.path, to.path, { mtimes: true })).toEqual([])
  })

  test('size and time are proven by one listing', async () => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    const store = await folderRemote(temp.path, 'store')
    await writeTree(from.path, [
      { kind: 'file', path: 'a', content: '1', mtime },
      { kind: 'file', path: 'leap', content: '1', mtime: Date.UTC(2024, 1, 29, 23, 59, 59) / 1000 },
      { kind: 'file', path: 'new year', content: '1', mtime: Date.UTC(2000, 0, 1) / 1000 },
      { kind: 'file', path: 'march', content: '1', mtime: Date.UTC(2100, 2, 1) / 1000 },
      { kind: 'file', path: 'old', content: '1', mtime: -1 },
    ])
    const stages = await layStages({ from, to: store, state: temp.path, tool: 'rclone', proof: 'size+mtime' })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['done'])
    expect(await verdict(stages.copy, '00000', 1)).toMatchObject({ failed: '0', files: '5' })
    await utimes(join(temp.path, 'store/a'), mtime + 1, mtime + 1)
    await work(stages.verify)
    expect(await failed(stages.verify, '00000', 1)).toEqual(['differs ./a'])
  })

  test.each(['checksum', 'download'] as const)('contents are proven by %s, both ways', async (proof) => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    const store = await folderRemote(temp.path, 'store')
    await writeTree(from.path, { a: '1', 'b c': '22', 'n\nl': '333', gone: '4', good: '5', 'd/e': '6' })
    const up = await layStages({ from, to: store, state: join(temp.path, 'up'), tool: 'rclone', proof })
    expect(await work(up.copy)).toMatchObject({ code: 0 })
    await writeFile(join(temp.path, 'store/a'), 'x')
    await writeFile(join(temp.path, 'store/n\nl'), 'xxx')
    await truncate(join(temp.path, 'store/b c'), 1)
    await rm(join(temp.path, 'store/gone'))
    expect((await work(up.verify)).code).toBe(1)
    const wrong = ['differs ./a', 'differs ./b c', 'differs ./n␊l', 'unproven ./gone']
    expect(await failed(up.verify, '00000', 1)).toEqual(wrong.map(bytes))
    const down = await layStages({
      from: store,
      to: local(join(temp.path, 'to')),
      state: join(temp.path, 'down'),
      tool: 'rclone',
      proof,
    })
    expect(await work(down.copy)).toMatchObject({ code: 0 })
    expect((await work(down.verify)).output).toContain(' 0 failed')
    await writeFile(join(temp.path, 'to/n\nl'), 'yyy')
    await rm(join(down.verify, 'work/00000/1.end'))
    expect((await work(down.verify)).code).toBe(1)
    expect(await failed(down.verify, '00000', 2)).toEqual(['differs ./n\nl'])
  })

  test('where no common hash is found, both sides are read instead of believing sizes', async () => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    // A crypt remote holds no hashes of the plain contents.
    const config = join(temp.path, 'rclone.conf')
    const secret = 'Qok08JhpjRRBCjWVUMYAh9pO7bKQmBbzKqvq'
    await writeFile(config, `[dark]\ntype = crypt\nremote = ${temp.path}/dark\npassword = ${secret}\n`)
    await writeTree(from.path, { a: '1', b: '2' })
    const dark = remote('dark', '', config)
    const stages = await layStages({ from, to: dark, state: temp.path, tool: 'rclone', proof: 'checksum' })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    await writeFile(join(from.path, 'a'), 'x')
    const proven = await work(stages.verify)
    expect(proven.code).toBe(1)
    expect(await log(stages.verify, '00000', 1)).toContain('both sides are read instead')
    expect(await failed(stages.verify, '00000', 1)).toEqual(['differs ./a'])
  })

  test('names what vanished or changed at the source', async () => {
    await using temp = await tempFolder()
    const store = await folderRemote(temp.path, 'store')
    const back = await folderRemote(temp.path, 'back')
    await writeTree(join(temp.path, 'store'), { gone: '1', grown: '1', 'n\nl': '1', good: '1' })
    const ways = [local(join(temp.path, 'to')), back]
    const laid = await Promise.all(
      ways.map((to, at) =>
        layStages({ from: store, to, state: join(temp.path, String(at)), tool: 'rclone', proof: 'size' }),
      ),
    )
    await rm(join(temp.path, 'store/gone'))
    await rm(join(temp.path, 'store/n\nl'))
    await writeFile(join(temp.path, 'store/grown'), '12')
    for (const [at, stages] of laid.entries()) {
      expect(await work(stages.copy)).toMatchObject({ code: 0 })
      expect(await verdicts(stages.copy, '00000'), await log(stages.copy, '00000', 1)).toEqual(['done'])
      const name = at === 0 ? './n\nl' : bytes('./n␊l')
      expect(await failed(stages.copy, '00000', 1)).toEqual([
        'changed ./grown',
        'vanished ./gone',
        `vanished ${name}`,
      ])
    }
    expect(await readFile(join(temp.path, 'to/good'), 'utf8')).toBe('1')
    expect(await readFile(join(temp.path, 'back/good'), 'utf8')).toBe('1')
  })

  test('a remote that does not answer fails the attempt, never the names', async () => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    const store = await folderRemote(temp.path, 'store')
    await writeTree(from.path, { a: '1' })
    const stages = await layStages({ from, to: store, state: temp.path, tool: 'rclone', proof: 'size' })
    const flag = join(temp.path, 'flag')
    const silent = `[[ $1 == lsf && ! -e '${flag}' ]] && { touch '${flag}'; echo 'i/o timeout' >&2; exit 1; }`
    const env = await puppet(join(temp.path, 'bin'), 'rclone', `${silent}\nPATH=\${PATH#*:} exec rclone "$@"`)
    expect(await work(stages.copy, { env })).toMatchObject({ code: 0 })
    expect(await verdicts(stages.copy, '00000')).toEqual(['failed', 'done'])
    expect(await verdict(stages.copy, '00000', 1)).toMatchObject({ exit: '75', failed: '0' })
  })

  test('a service that asks for fewer requests has a budget of its own; keys that it does not take have none', async () => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    await writeTree(from.path, { a: '1' })
    const asked = join(temp.path, 'asked')
    const says = (text: string, times: number): Promise<NodeJS.ProcessEnv> => {
      const refuses = `[[ $1 == lsf ]] && echo >>'${asked}' && (($(wc -l <'${asked}') <= ${times})) && { echo '${text}' >&2; exit 1; }`
      return puppet(join(temp.path, 'bin'), 'rclone', `${refuses}\nPATH=\${PATH#*:} exec rclone "$@"`)
    }
    const laid = async (name: string): Promise<string> => {
      const to = await folderRemote(temp.path, name)
      const stages = await layStages({
        from,
        to,
        state: join(temp.path, `run-${name}`),
        tool: 'rclone',
        proof: 'size',
      })
      await writeFile(asked, '')
      return stages.copy
    }
    const busy = await laid('busy')
    const rested = await work(busy, { env: await says('SlowDown: reduce your request rate', 5) })
    expect(await verdicts(busy, '00000')).toEqual([...Array<string>(5).fill('failed'), 'done'])
    expect(await verdict(busy, '00000', 5)).toMatchObject({ exit: '69' })
    expect(rested.output).toContain(
      '00000: attempt 5 failed (the service asks for fewer requests, exit 69, 0 entries open); will be tried again; see ',
    )
    expect(rested.code).toBe(0)

    const always = await laid('always')
    expect(await work(always, { env: await says('SlowDown', 1000) })).toMatchObject({ code: 1 })
    expect(await verdicts(always, '00000')).toEqual(Array<string>(8).fill('failed'))
    expect(await readShard(always, '00000', 3)).toMatchObject({ at: 'over', mark: { attempt: 8 } })

    const locked = await laid('locked')
    const refused = await work(locked, { env: await says('InvalidAccessKeyId', 1000) })
    expect(refused).toMatchObject({ code: 1 })
    expect(await verdicts(locked, '00000')).toEqual(['failed'])
    expect(refused.output).toContain(
      'the service does not take the keys, exit 78, 0 entries open); is not tried again, because no attempt mends that',
    )
    expect(await readShard(locked, '00000', 3)).toMatchObject({ at: 'over', mark: { attempt: 1 } })
    // Whoever has corrected them and names the shard has it tried.
    const byHand = await work(locked, {
      env: await says('InvalidAccessKeyId', 0),
      args: ['--shard', '00000'],
    })
    expect(byHand).toMatchObject({ code: 0 })
    expect(await verdicts(locked, '00000')).toEqual(['failed', 'done'])
  })

  test('a single file goes up under a new name', async () => {
    await using temp = await tempFolder()
    const from = local(join(temp.path, 'from'))
    const store = await folderRemote(temp.path, 'store')
    await writeTree(from.path, { one: '1', other: '2' })
    const single = { from: 'one', to: 'uno' }
    const stages = await layStages({
      from,
      to: store,
      state: temp.path,
      tool: 'rclone',
      single,
      proof: 'checksum',
    })
    expect(await work(stages.copy)).toMatchObject({ code: 0 })
    expect(await work(stages.verify)).toMatchObject({ code: 0 })
    expect(await compareTrees(from.path, join(temp.path, 'store'))).toEqual([
      'extra: "uno"',
      'missing: "one"',
      'missing: "other"',
    ])
  })
})

function bytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

test('rclone writes its tokens into a copy of the configuration that only this worker has, and that goes with it', async () => {
  await using temp = await tempFolder()
  const from = local(join(temp.path, 'from'))
  const store = await folderRemote(temp.path, 'store')
  await writeTree(from.path, { a: 'a' })
  const config = join(temp.path, 'rclone.conf')
  const before = await readFile(config, 'utf8')
  const seen = join(temp.path, 'seen')
  const body = `[[ $1 == version ]] && exec rclone "$@"
for word; do [[ $word == --config=* ]] && config=\${word#*=}; done
stat -c '%a %n' "$config" >>${seen}
[[ $config == "$RCLONE_CONFIG" ]] && printf '# a token\\n' >>"$config"
exec rclone "$@"`
  await puppet(join(temp.path, 'bin'), 'rclone-with-tokens', body)
  const program = join(temp.path, 'bin/rclone-with-tokens')
  const state = join(temp.path, 'up')
  const stages = await layStages({ from, to: store, state, tool: 'rclone', proof: 'size', program })
  expect(await work(stages.copy)).toMatchObject({ code: 0 })
  expect(await readFile(config, 'utf8')).toBe(before)
  const used = (await readFile(seen, 'utf8')).trim().split('\n')
  expect(new Set(used.map((line) => line.split(' ')[0]))).toEqual(new Set(['600']))
  for (const line of used) await expect(readFile(line.slice(4), 'utf8')).rejects.toThrow('ENOENT')
  // A node that does not see the file says so, and fails no shard by trying.
  await rm(config)
  await rm(join(stages.copy, 'work/00000/1.end'))
  const blind = await work(stages.copy)
  expect(blind.output).toContain(`${config}, where the remotes are set up, cannot be read on `)
})
