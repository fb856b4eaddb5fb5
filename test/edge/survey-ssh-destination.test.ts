import { execFile } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshAvailable } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { tempFolder } from '../rig/folder.ts'
import { hostileTree } from '../rig/hostile.ts'
import { writeTree } from '../rig/tree.ts'
import { complaint, fates, surveyed } from './survey-rig.ts'
import { serverIn } from './survey-servers.ts'

describe.skipIf(!sshAvailable())('a server over SSH as a destination', () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  test('is compared by name, kind, size, time and link target', async () => {
    await using temp = await tempFolder()
    const tree = (path: string, content: string, mtime = 1000) =>
      ({ kind: 'file', path, content, mtime }) as const
    await writeTree(join(temp.path, 'from'), [
      ...['same', 'longer', 'older', 'd/new', 'was a folder', 'e/below a file', 'through/a'].map((path) =>
        tree(path, 'x'),
      ),
      { kind: 'symlink', path: 'link', target: 'same' },
      { kind: 'symlink', path: 'other link', target: 'same' },
    ])
    await writeTree(join(temp.path, 'to'), [
      tree('same', 'x'),
      tree('longer', 'xx'),
      tree('older', 'x', 999),
      { kind: 'directory', path: 'was a folder' },
      { kind: 'directory', path: 'elsewhere' },
      tree('e', ''),
      { kind: 'symlink', path: 'through', target: 'elsewhere' },
      { kind: 'symlink', path: 'link', target: 'same' },
      { kind: 'symlink', path: 'other link', target: 'longer' },
    ])
    const found = await surveyed(temp.path, { to: serverIn(server, temp.path)('to') })
    expect(await fates(found)).toEqual([
      '!d e',
      '!d through',
      '!f e/below a file',
      '!f through/a',
      '!f was a folder',
      '+d d',
      '+f d/new',
      '=f same',
      '=l link',
      '~f longer',
      '~f older',
      '~l other link',
    ])
    expect(found.destinationState).toBe('filled')
  })

  test('hostile names are found again, byte for byte', async () => {
    await using temp = await tempFolder()
    await hostileTree(join(temp.path, 'from'))
    await promisify(execFile)('cp', ['-a', join(temp.path, 'from'), join(temp.path, 'to')])
    const lines = await fates(await surveyed(temp.path, { to: serverIn(server, temp.path)('to') }))
    expect(lines.filter((line) => !line.startsWith('='))).toEqual(['-p fifo'])
  })

  test('that is absent or empty needs no listing, and one that is a file is refused', async () => {
    await using temp = await tempFolder()
    await writeTree(join(temp.path, 'from'), { f: '' })
    const place = serverIn(server, temp.path)
    expect(await surveyed(temp.path, { to: place('deep/er') })).toMatchObject({
      destinationState: 'absent',
    })
    await mkdir(join(temp.path, 'to'))
    expect(await surveyed(temp.path, { to: place('to') })).toMatchObject({ destinationState: 'empty' })
    expect(await complaint(temp.path, { to: place('from/f') })).toBe(
      'SX301 the destination old:…/from/f is not a directory',
    )
  })

  test('takes one file into a folder, under its name or another, and sees what stands there', async () => {
    await using temp = await tempFolder()
    await writeTree(temp.path, { one: 'x' })
    await mkdir(join(temp.path, 'to'))
    await cp(join(temp.path, 'one'), join(temp.path, 'to/two'), { preserveTimestamps: true })
    await writeFile(join(temp.path, 'to/one'), 'longer')
    const place = serverIn(server, temp.path)
    const lines = async (to: string): Promise<string[]> =>
      fates(await surveyed(temp.path, { from: 'one', to: place(to) }))
    expect(await lines('to/two')).toEqual(['=f one'])
    expect(await lines('to')).toEqual(['~f one'])
    expect(await lines('to/three')).toEqual(['+f one'])
  })
})
