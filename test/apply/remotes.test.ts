import { execFile } from 'node:child_process'
import { chmod, lstat, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { hostileTree, ODD_TREE } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, openCase, writePlan, type Case } from './case.ts'
import { attributesOf } from './fixup-case.ts'

/** Remotes that lead to folders: `near` is a disk behind rclone, `far` is an alias of a folder in it. */
async function endpoints(at: Case): Promise<object> {
  const config = join(at.path, 'rclone.conf')
  await writeFile(config, `[near]\ntype = local\n\n[far]\ntype = alias\nremote = near:${at.path}/store\n`)
  return { near: { type: 'rclone', config }, far: { type: 'rclone', config } }
}

async function plan(at: Case, transfer: object): Promise<void> {
  await writePlan(at.path, { endpoints: await endpoints(at), transfers: { data: transfer } })
}

describe('remotes of rclone', () => {
  test('there and back: local → remote → remote → local, and nothing is left to do then', async () => {
    await using at = await openCase()
    await writeTree(at.from, ODD_TREE)
    const far = join(at.path, 'store')
    const legs = [
      [{ from: at.from, to: 'far:one' }, at.from, join(far, 'one')],
      [{ from: 'far:one', to: `near:${at.path}/two` }, join(far, 'one'), join(at.path, 'two')],
      [{ from: `near:${at.path}/two`, to: at.to }, join(at.path, 'two'), at.to],
    ] as const
    for (const [transfer, from, to] of legs) {
      await plan(at, transfer)
      const first = await at.apply()
      expect(lastLines(first.stdout, 1)[0]).toMatch(/^data: 1?\d entries \(8 B\) delivered, verified by name/)
      expect(first.exitCode).toBe(0)
      expect(await compareTrees(from, to)).toEqual([])
      const second = await at.apply()
      expect(lastLines(second.stdout, 1)).toEqual(['Nothing is left to do.'])
      expect(second.exitCode).toBe(0)
    }
  })

  test('a token that ends before all of it is there: the preview says so', async () => {
    await using at = await openCase()
    await writeTree(at.from, { big: '' })
    await truncate(join(at.from, 'big'), 4 * 2 ** 40)
    const config = join(at.path, 'rclone.conf')
    const withToken = async (hours: number): Promise<string> => {
      const expiry = new Date(Date.now() + hours * 3_600_000).toISOString()
      await writeFile(config, `[near]\ntype = local\ntoken = {"access_token":"x","expiry":"${expiry}"}\n`)
      await writePlan(at.path, {
        endpoints: { near: { type: 'rclone', config } },
        transfers: { data: { from: at.from, to: `near:${at.to}` } },
      })
      return (await at.plan()).stdout
    }
    expect(await withToken(1)).toMatch(
      /the token of remote near in \S+rclone\.conf: good until \S+ \S+Z, and all of it is expected to take until \S+ \S+Z\. Renew it first;/,
    )
    expect(await withToken(1000)).not.toContain('good until')
  })

  test('links on a remote without MD5 are compared by length, and the preview says so', async () => {
    await using at = await openCase()
    await writeTree(at.from, [{ kind: 'symlink', path: 'newest', target: 'step 1000' }])
    const config = join(at.path, 'rclone.conf')
    const secret = (await promisify(execFile)('rclone', ['obscure', 'secret'])).stdout.trim()
    await writeFile(config, `[hidden]\ntype = crypt\nremote = ${at.path}/store\npassword = ${secret}\n`)
    await writePlan(at.path, {
      endpoints: { hidden: { type: 'rclone', config } },
      transfers: { data: { from: at.from, to: 'hidden:', symlinks: 'keep' } },
    })
    expect((await at.apply()).exitCode).toBe(0)
    expect((await at.plan()).stdout).toContain(
      'data: 1 symlink on the remote is compared by the length of what it leads to, because the remote keeps no MD5; one that leads elsewhere at the same length looks the same.\n',
    )
  })

  test('what comes out of a remote gets its attributes from a folder, whatever rclone calls it', async () => {
    await using at = await openCase()
    await writeTree(at.from, ODD_TREE)
    await chmod(join(at.from, Object.keys(ODD_TREE)[0] ?? ''), 0o604)
    const fixup = { from: at.from, preserve: ['permissions', 'times'] }
    await plan(at, { from: `near:${at.from}`, to: at.to, compare: 'size', fixup })
    const files = async (folder: string): Promise<readonly string[]> =>
      (await attributesOf(folder, '%m %T@')).filter((line) => / f /.test(line))
    const first = await at.apply()
    expect(first.exitCode).toBe(0)
    expect(await files(at.to)).toEqual(await files(at.from))
    const names = Object.keys(ODD_TREE)
    await rm(join(at.to, names.at(-1) ?? ''))
    await chmod(join(at.to, names[0] ?? ''), 0o640)
    const second = await at.apply()
    expect(second.stdout).toMatch(/\n {2}\+ new {6}1 file \(.*\)\n {2}@ fixup {4}\d+ files? /)
    expect(second.exitCode).toBe(0)
    expect(await files(at.to)).toEqual(await files(at.from))
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })

  test('hostile names go out and come back, or are refused by name', async () => {
    await using at = await openCase()
    await hostileTree(at.from, { withoutSpecials: true })
    await plan(at, { from: at.from, to: 'far:one', symlinks: 'skip' })
    const out = await at.apply()
    await plan(at, { from: 'far:one', to: at.to })
    const back = await at.apply()
    const differences = await compareTrees(at.from, at.to)
    const told = `${out.stdout}${back.stdout}`
    for (const line of differences) {
      const isLink = line.startsWith('missing: "links/')
      const isEmpty = line.startsWith('missing: "empty') || line === 'missing: "links"'
      const isBytes = /\\x/.test(line)
      expect([line, isLink || isEmpty || isBytes]).toEqual([line, true])
    }
    expect(out.exitCode).toBe(1)
    expect(told).toContain('its name is not valid UTF-8, so rclone can not represent it')
    expect(told).toContain('a symlink, and the plan says symlinks: skip')
    expect(back.exitCode).toBe(0)
    await plan(at, { from: at.from, to: 'far:one', symlinks: 'skip' })
    const second = await at.apply()
    expect(second.stdout).not.toContain('  + new ')
    expect(second.stdout).not.toContain('  ~ changed ')
  })

  test('damage at a remote is mended; a file and a listing that fail are named', async () => {
    await using at = await openCase()
    await writeTree(at.from, ODD_TREE)
    await plan(at, { from: at.from, to: 'far:one', verify: 'download' })
    expect((await at.apply()).exitCode).toBe(0)
    await writeFile(join(at.path, 'store/one/d'), 'damaged')
    await rm(join(at.path, 'store/one/a/b/c'))
    const mended = await at.apply()
    expect(mended.exitCode).toBe(0)
    expect(await compareTrees(at.from, join(at.path, 'store/one'))).toEqual([])
    await plan(at, { from: 'far:nowhere', to: at.to })
    const absent = await at.apply()
    expect(absent.exitCode).toBe(1)
    expect(absent.stderr).toContain('error SX201: the source far:nowhere does not exist\n')
    await writeFile(join(at.path, 'rclone.conf'), '[near]\ntype = local\n')
    const undeclared = await at.apply()
    expect(undeclared.exitCode).toBe(1)
    expect(undeclared.stderr).toMatch(/^error SX2\d\d: .*\n(.*\n)*? {2}\S.*/)
    expect(await readdir(join(at.state, 'runs'))).not.toContain('.draft')
  })

  test('links towards a remote: asked for, kept as files, followed', async () => {
    await using at = await openCase()
    await writeTree(at.from, { target: 'x' })
    await symlink('target', join(at.from, 'link'))
    await plan(at, { from: at.from, to: 'far:one' })
    const asked = await at.apply()
    expect(asked.exitCode).toBe(1)
    expect(asked.stderr).toBe(
      'error SX204: transfer data: the source has 1 symlink, and a remote holds none\n  Write `symlinks: follow` to copy what they lead to, `symlinks: keep` to store each as a file NAME.rclonelink, or `symlinks: skip` to leave them out.\n',
    )
    await plan(at, { from: at.from, to: 'far:one', symlinks: 'keep' })
    expect((await at.apply()).exitCode).toBe(0)
    // Behind this remote is a disk, where rclone makes a link of it again.
    expect(await readlink(join(at.path, 'store/one/link'))).toBe('target')
    await plan(at, { from: at.from, to: 'far:two', symlinks: 'follow' })
    expect((await at.apply()).exitCode).toBe(0)
    expect((await lstat(join(at.path, 'store/two/link'))).isFile()).toBe(true)
    expect(await readFile(join(at.path, 'store/two/link'), 'utf8')).toBe('x')
  })

  test('one file to a remote: into a folder and under another name', async () => {
    await using at = await openCase()
    await writeTree(at.from, { one: 'one' })
    await plan(at, { from: join(at.from, 'one'), to: 'far:folder/' })
    expect((await at.apply()).exitCode).toBe(0)
    await plan(at, { from: join(at.from, 'one'), to: 'far:folder/two' })
    expect((await at.apply()).exitCode).toBe(0)
    expect(await readFile(join(at.path, 'store/folder/one'), 'utf8')).toBe('one')
    expect(await readFile(join(at.path, 'store/folder/two'), 'utf8')).toBe('one')
    expect(lastLines((await at.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })
})
