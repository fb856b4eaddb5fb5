import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, named, openCase, realProgram, TOOLS, withVariables, type Case } from './case.ts'

const run = promisify(execFile)
const NOBODY = 65_534

/** PATH with a tool in front that does `script` before, or instead of, its work. `REAL` is the real one. */
async function withTool(at: Case, tool: string, script: string): Promise<NodeJS.ProcessEnv> {
  const real = await realProgram(tool)
  const body = `case "$1" in version | --version) exec ${real} "$@" ;; esac\nREAL=${real}\n${script}`
  return puppet(join(at.path, 'bin'), tool, body, withVariables({}))
}

describe.each(TOOLS)('%s', (tool) => {
  test('what changes behind the listing is named, and the rest is delivered', async () => {
    await using at = await openCase({ tool })
    await writeTree(at.from, { gone: 'gone', changed: 'changed', 'x/gone too': '', fine: 'fine' })
    const change = `cd ${at.from} && rm -rf gone x; echo other > changed`
    const env = await withTool(at, tool, `(${change})\nexec "$REAL" "$@"`)
    const { exitCode, stdout } = await at.apply([], { env })
    expect(exitCode).toBe(1)
    expect(named(stdout)).toEqual([
      'changed: changed at the source after the listing; apply again once it stands still',
      'gone: was removed from the source after the listing; apply again if that was not meant',
      'x/gone too: was removed from the source after the listing; apply again if that was not meant',
    ])
    expect(lastLines(stdout, 1)[0]).toContain('NOT everything was delivered: 3 entries failed.')
    expect(await readFile(join(at.to, 'fine'), 'utf8')).toBe('fine')
    const file = await readFile(join(await at.run(), 'failed.txt'), 'utf8')
    expect(
      file
        .split('\n')
        .map((line) => line.split('\t').slice(0, 3).join(' '))
        .sort(),
    ).toEqual(['', 'data changed changed', 'data vanished gone', 'data vanished x/gone too'])
    const again = await at.apply()
    expect(again.exitCode).toBe(0)
    expect(await readFile(join(at.to, 'changed'), 'utf8')).toBe('other\n')
  })

  test('a tool that lies: nothing is believed, 20 names are shown and all are written down', async () => {
    await using at = await openCase({ tool, retries: { attempts: 2 } })
    await writeTree(at.from, Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, 'x'])))
    const { exitCode, stdout } = await at.apply([], { env: await withTool(at, tool, 'exit 0') })
    expect(exitCode).toBe(1)
    const log = join(await at.run(), 'stages/data.copy/work/00001/2.log')
    expect(named(stdout)).toHaveLength(21)
    expect(named(stdout)).toContain(`f0: was not copied; what the tool said of it stands in ${log}`)
    expect(named(stdout)).toContain('and 10 more')
    const failedNames = join(await at.run(), 'failed.txt')
    expect(lastLines(stdout, 2)).toEqual([
      `All failed names: ${failedNames}`,
      'NOT everything was delivered: 30 entries failed. Mend the causes above and apply again: only what is missing will be copied.',
    ])
    const lines = (await readFile(failedNames, 'utf8')).trimEnd().split('\n')
    expect(new Set(lines).size).toBe(30)
    expect(lines).toContain(`data\tnot-copied\tf29\t${log}`)
    expect((await at.apply()).exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })

  test('a tool that dies twice by a signal: the third attempt delivers', async () => {
    await using at = await openCase({ tool })
    await writeTree(at.from, { a: 'a', b: 'b' })
    const count = join(at.path, 'count')
    const script = `echo >> ${count}; (($(wc -l < ${count}) > 2)) || kill -KILL $$; exec "$REAL" "$@"`
    const { exitCode } = await at.apply([], { env: await withTool(at, tool, script) })
    expect(exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })

  test('without permission: named on both sides and where it can not be listed, by a user who is not root', async () => {
    await using at = await openCase({ tool })
    await writeTree(at.from, [
      { kind: 'file', path: 'secret', content: 's', mode: 0o000 },
      { kind: 'file', path: 'locked/l', content: 'l' },
      { kind: 'file', path: 'dark/d', content: 'd' },
      { kind: 'file', path: 'fine', content: 'f', mode: 0o640 },
      { kind: 'directory', path: 'dark', mode: 0o000 },
    ])
    await mkdir(join(at.to, 'locked'), { recursive: true })
    await chmod(join(at.to, 'locked'), 0o555)
    const isRoot = process.getuid?.() === 0
    if (isRoot) await run('chown', ['-R', String(NOBODY), at.path])
    const { exitCode, stdout } = await at.apply([], {
      env: withVariables({ HOME: at.path }),
      ...(isRoot ? { uid: NOBODY } : {}),
    })
    expect(exitCode).toBe(1)
    expect(named(stdout)).toEqual([
      'locked/l: can not be written at the destination; check permissions there, then apply again',
      `not listed: '${at.from}/dark': Permission denied`,
      'secret: can not be read at the source; check its permissions, then apply again',
    ])
    expect(lastLines(stdout, 1)[0]).toContain(
      'NOT everything was delivered: 2 entries failed, and 1 place of the source could not be listed. ',
    )
    expect(await readFile(join(await at.run(), 'failed.txt'), 'utf8')).toContain(
      `data\tunlisted\t'${at.from}/dark': Permission denied\t\n`,
    )
    expect([...(await listTree(at.to)).keys()].sort()).toEqual(['dark', 'fine', 'locked'])
  })

  test('is not installed: said before anything is listed', async () => {
    await using at = await openCase({ tool })
    await writeTree(at.from, { a: 'a' })
    const bin = join(at.path, 'bin')
    await mkdir(bin)
    for (const name of ['bash', 'find', 'env']) await run('ln', ['-s', await realProgram(name), bin])
    const { exitCode, stderr, stdout } = await at.apply([], { env: { ...withVariables({}), PATH: bin } })
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(
      `error SX401: ${tool} is not installed here\n  Install it (\`apt install ${tool}\``,
    )
    expect(await readdir(join(at.state, 'runs'))).toEqual([])
  })
})

test('a plan in a folder that is read-only: says where else the run folder could be', async () => {
  await using at = await openCase()
  await writeTree(at.from, { a: 'a' })
  const file = join(at.path, '.soxplan')
  await writeFile(file, 'a file stands where the folder should be')
  const { exitCode, stderr } = await at.apply()
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`error SX602: The state folder ${file} can not be written: `)
  expect(stderr).toContain('Name another folder with --state DIR or `state:` in the plan')
  expect((await at.apply(['--state', join(at.path, 'elsewhere')])).exitCode).toBe(0)
})

test('soxplan keeps its own files out of a source', async () => {
  await using at = await openCase()
  await writeTree(at.from, { a: 'a' })
  const inside = join(at.from, 'deep/state')
  const refused = [await at.apply(['--state', inside]), await at.plan(['--state', inside])]
  for (const { exitCode, stderr } of refused) {
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`error SX606: ${inside} lies in the source of transfer data, ${at.from}\n`)
    expect(stderr).toContain('with --state DIR')
  }
  const scripts = await at.plan(['--scripts', join(at.from, 'scripts')])
  expect(scripts).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--scripts DIR') as string })
  const temp = await at.plan([], { env: withVariables({ TMPDIR: at.from }) })
  expect(temp).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Set TMPDIR') as string })
  expect([...(await listTree(at.from)).keys()]).toEqual(['a'])
})
