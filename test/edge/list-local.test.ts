import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Result } from '../../src/diagnostic.ts'
import { listLocal, type ListingErrors } from '../../src/edge/list-local.ts'
import { tempFolder } from '../rig/folder.ts'
import { hostileTree } from '../rig/hostile.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'

const run = promisify(execFile)

interface Asked {
  readonly env?: NodeJS.ProcessEnv
  readonly control?: AbortController
  readonly onBytes?: (bytes: number) => void
}

/** The bytes of a listing in their order, latin1, and how it ended. */
async function list(
  path: string,
  asked: Asked = {},
): Promise<{ text: string; ended: Result<ListingErrors> }> {
  const chunks: Buffer[] = []
  let bytes = 0
  const ended = await listLocal({
    path,
    single: false,
    follow: false,
    env: { PATH: (asked.env ?? process.env)['PATH'] ?? '' },
    signal: (asked.control ?? new AbortController()).signal,
    onChunk(chunk) {
      chunks.push(chunk)
      asked.onBytes?.((bytes += chunk.length))
      return undefined
    },
  })
  return { text: Buffer.concat(chunks).toString('latin1'), ended }
}

/** `FIELDS PATH`, target: a pair for each record, sorted. */
function records(text: string): readonly string[] {
  const parts = text.split('\0')
  expect(parts.pop()).toBe('')
  return parts.flatMap((head, i) => (i % 2 === 0 ? [`${head}\0${parts[i + 1] ?? ''}`] : [])).sort()
}

/** What one find says, and what it says on stderr. */
async function oneFind(
  path: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ text: string; stderr: string }> {
  const format = '%y %s %T@ %D %i %n %m %U %G %P\\0%l\\0'
  const options = { encoding: 'latin1', maxBuffer: 2 ** 28, env: { ...env, LC_ALL: 'C' } } as const
  const { stdout, stderr } = await run(
    'bash',
    ['-c', 'find -P "$1/" -mindepth 1 -printf "$2" || :', '-', path, format],
    options,
  )
  return { text: stdout, stderr }
}

/** Several thousand entries on several levels, with many ways to split them. */
async function makeTree(path: string): Promise<void> {
  const script = `
    mkdir -p "$1"; cd "$1"
    mkdir -p {a,b,./-c,d%P}/{1..9}/{x..z}/deep/er top/{1..80}/{i,j}
    touch {a,b,./-c,d%P}/{1..9}/f{1..40} {a,b,./-c}/{1..9}/{x..z}/deep/{er/,}g{1..9} file{1..9}
    for i in {1..80}; do touch top/$i/{i,j}/n{1..20}; done
    ln -s a link; ln -s nowhere top/1/dead; ln file1 top/2/twin`
  await run('bash', ['-c', script, '-', path])
}

describe('several finds list what one does', () => {
  test('in the same order each time', async () => {
    await using temp = await tempFolder()
    await makeTree(join(temp.path, 'from'))
    const first = await list(join(temp.path, 'from'))
    const expected = records((await oneFind(join(temp.path, 'from'))).text)
    expect(expected.length).toBeGreaterThan(6000)
    expect(records(first.text)).toEqual(expected)
    for (let again = 0; again < 4; again++) {
      expect((await list(join(temp.path, 'from'))).text === first.text).toBe(true)
    }
  })

  test('whatever bytes the names of directories hold, on every level', async () => {
    await using temp = await tempFolder()
    const at = join(temp.path, 'from')
    await hostileTree(at)
    await hostileTree(join(at, 'deeper/and deeper'))
    for (const name of [
      '-',
      '-name',
      '--',
      '(',
      ')',
      '!',
      ',',
      '!x',
      '(x',
      '-%d%%\\0\\c',
      '-\n',
      '{}',
      ';',
      '%P',
    ]) {
      await writeTree(join(at, name), { f: '', 'd/f': '', '-d/-f': '', '!/!': '' })
    }
    await writeTree(at, [{ kind: 'file', path: Buffer.from('-\xff\x80/g/\xfe', 'latin1') }])
    const { text, ended } = await list(at)
    expect(ended).toEqual({ ok: true, value: { count: 0, lines: [] } })
    expect(records(text)).toEqual(records((await oneFind(at)).text))
  })

  test.each([
    ['nothing', 'mkdir "$1"'],
    ['files alone', 'mkdir "$1"; touch "$1"/{1..9}'],
    ['one directory over another', 'mkdir -p "$1"/a/b/c/d/e; touch "$1"/a/b/c/d/e/f'],
    ['one directory full of them', 'mkdir -p "$1"/a/{1..200}; touch "$1"/a/{1..200}/f'],
    [
      'one directory that outweighs its level, and one that outweighs the next',
      `mkdir -p "$1"/{wide,b/{broad,c,d}/1/{x,y},e/1/2/3}; cd "$1"
       for i in wide b/broad; do (cd $i; seq -f 'a name that takes some room %g' 5000 | xargs -d '\\n' touch); done
       mkdir -p wide/{1..90}/{k,l/m} b/broad/1/z; touch wide/{1..90}/l/m/f b/broad/1/z/g e/1/2/3/h`,
    ],
    ['twenty thousand directories', 'mkdir "$1"; cd "$1"; seq 20000 | xargs mkdir; touch 7777/f'],
  ])('%s', { timeout: 240_000 }, async (_, script) => {
    await using temp = await tempFolder()
    const at = join(temp.path, 'from')
    await run('bash', ['-c', script, '-', at])
    const { text, ended } = await list(at)
    expect(ended).toEqual({ ok: true, value: { count: 0, lines: [] } })
    const [ours, theirs] = [records(text), records((await oneFind(at)).text)]
    expect(ours.length).toBe(theirs.length)
    expect(ours.every((record, i) => record === theirs[i])).toBe(true)
  })

  test('a root behind a symlink, and one that is called /', async () => {
    await using temp = await tempFolder()
    await makeTree(join(temp.path, 'real'))
    await symlink('real', join(temp.path, 'from'))
    const { text } = await list(join(temp.path, 'from'))
    expect(records(text)).toEqual(records((await oneFind(join(temp.path, 'real'))).text))

    const control = new AbortController()
    let seen = ''
    const whole = listLocal({
      path: '/',
      single: false,
      follow: false,
      env: { PATH: process.env['PATH'] ?? '' },
      signal: control.signal,
      onChunk(chunk) {
        seen += chunk.toString('latin1')
        if (seen.length > 2 ** 21) control.abort(new Error('enough'))
        return undefined
      },
    })
    await expect(whole).rejects.toThrow('enough')
    const paths = seen.split('\0').map((head) => head.split(' ').slice(9).join(' '))
    for (const path of ['proc', 'usr', 'usr/bin']) expect(paths).toContain(path)
    expect(paths.filter((path) => path.startsWith('/') || path.startsWith('./'))).toEqual([])
  })
})

/** An environment in which find runs as somebody who may not read everything, as root does. */
async function asNobody(bin: string): Promise<NodeJS.ProcessEnv> {
  const drop = process.getuid?.() === 0 ? 'setpriv --reuid=65534 --regid=65534 --clear-groups' : ''
  return puppet(bin, 'find', `exec ${drop} /usr/bin/find "$@"`)
}

describe('what can not be listed', () => {
  test('is named as one find names it, from the root on, in an order that stays', async () => {
    await using temp = await tempFolder()
    await chmod(temp.path, 0o755)
    const at = join(temp.path, "it's ü\n\\")
    const shut = ['a', 'b/c', 'b/d/e', '-f', '-g/h', 'b/d/x/y/z\n']
    for (const path of shut) await mkdir(join(at, path), { recursive: true })
    for (let i = 0; i < 100; i++) await mkdir(join(at, `b/many/${i}/shut`), { recursive: true })
    const nobody = process.getuid?.() === 0 ? 0o700 : 0
    for (const path of shut) await chmod(join(at, path), nobody)
    for (let i = 0; i < 100; i += 10) await chmod(join(at, `b/many/${i}/shut`), nobody)
    const env = await asNobody(join(temp.path, 'bin'))

    const one = await oneFind(at, env)
    const said = one.stderr
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [line.replace(/^\S*find: /, '')]))
    const first = await list(at, { env })
    expect(records(first.text)).toEqual(records(one.text))
    expect(said).toHaveLength(16)
    expect(first.ended.ok && [...first.ended.value.lines].sort()).toEqual(said.sort())
    for (let again = 0; again < 3; again++) expect(await list(at, { env })).toEqual(first)
  })

  test('of very many, all are counted and the first are named', async () => {
    await using temp = await tempFolder()
    await chmod(temp.path, 0o755)
    const at = join(temp.path, 'from')
    const mode = process.getuid?.() === 0 ? '700' : '000'
    await run('bash', ['-c', 'mkdir -p "$1"/{1..200}/shut; chmod "$2" "$1"/*/shut', '-', at, mode])
    const { ended } = await list(at, { env: await asNobody(join(temp.path, 'bin')) })
    expect(ended).toMatchObject({ ok: true, value: { count: 200 } })
    expect(ended.ok && ended.value.lines.length).toBe(20)
  })

  test('what goes or becomes a symlink meanwhile is not followed', async () => {
    await using temp = await tempFolder()
    const at = join(temp.path, 'from')
    await writeTree(at, { 'gone/f': '', 'turned/f': '', 'stays/f': '' })
    const away = `rm -rf gone; [ -L turned ] || { mv turned ../away; ln -s ../away turned; }`
    const env = await puppet(join(temp.path, 'bin'), 'xargs', `#!/bin/sh\n${away}; exec /usr/bin/xargs "$@"`)
    const { text, ended } = await list(at, { env })
    expect(text.split('\0').map((head) => head.split(' ')[9])).toContain('stays/f')
    expect(text).not.toContain('turned/f')
    expect(ended).toEqual({
      ok: true,
      value: { count: 1, lines: [`'${at}/gone': No such file or directory`] },
    })
  })
})

/** Enough directories to be shared out at once. */
async function makeBroad(path: string): Promise<void> {
  await run('bash', ['-c', 'mkdir -p "$1"/{1..200}/d', '-', path])
}

describe('a listing that breaks', () => {
  const broken = async (temp: string, xargs: string): Promise<string> => {
    await makeBroad(join(temp, 'from'))
    const env = await puppet(join(temp, 'bin'), 'xargs', `#!/bin/sh\n${xargs}`)
    const { ended } = await list(join(temp, 'from'), { env })
    return ended.ok ? 'ok' : ended.error.map(({ code, what, why }) => `${code} ${what}; ${why ?? ''}`).join()
  }

  test('in one find of several fails as a whole, and ends the others', async () => {
    await using temp = await tempFolder()
    const one = `if mkdir ${temp.path}/first 2>&-; then echo $$ > ${temp.path}/pid; exec sleep 60; fi; until [ -s ${temp.path}/pid ]; do sleep 0.05; done`
    expect(await broken(temp.path, `${one}; echo 'xargs: find: terminated by signal 9' >&2; exit 125`)).toBe(
      `SX205 cannot list ${temp.path}/from with find: it ended with exit code 125; xargs: find: terminated by signal 9`,
    )
    const pid = Number(await readFile(join(temp.path, 'pid'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('without a word is no listing', async () => {
    await using temp = await tempFolder()
    expect(await broken(temp.path, 'exit 123')).toContain('it ended with exit code 123')
  })

  test('within a record is shown no further', async () => {
    await using temp = await tempFolder()
    await makeBroad(join(temp.path, 'from'))
    const env = await puppet(join(temp.path, 'bin'), 'xargs', `#!/bin/sh\nprintf 'd 1 - 0 0 1 - - - tor'`)
    const { text } = await list(join(temp.path, 'from'), { env })
    expect(text.endsWith('\0d 1 - 0 0 1 - - - tor')).toBe(true)
  })

  test('from outside ends with all that it started, and throws the reason', async () => {
    await using temp = await tempFolder()
    await makeBroad(join(temp.path, 'from'))
    const pids = join(temp.path, 'pids')
    const sleeper = `echo $$ >> ${pids}.part; [ "$(wc -l < ${pids}.part)" = 2 ] && mv ${pids}.part ${pids}; exec sleep 60`
    const env = await puppet(join(temp.path, 'bin'), 'xargs', `#!/bin/sh\n${sleeper}`)
    const control = new AbortController()
    const listing = list(join(temp.path, 'from'), { env, control })
    const started = expect.poll(() => readFile(pids, 'utf8').catch(() => ''), { timeout: 20_000 })
    await started.toMatch(/\d+\n\d+\n/)
    control.abort(new Error('enough'))
    await expect(listing).rejects.toThrow('enough')
    for (const pid of (await readFile(pids, 'utf8')).trim().split('\n')) {
      expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
    }
  })
})
