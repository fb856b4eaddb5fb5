import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toolEnvironment } from '../../src/edge/tool-probe.ts'
import { decodeRcloneName, encodeRcloneName, isRcloneName } from '../../src/tools/rclone-names.ts'
import { tempFolder } from '../rig/folder.ts'
import { HOSTILE_NAMES } from '../rig/hostile.ts'

const run = promisify(execFile)

/** Pieces that rclone's spelling treats in some way, and bytes that are no UTF-8. */
const pieces = [
  'a',
  '\n',
  '\t',
  '\x01',
  '\x1f',
  '\x7f',
  '.',
  ' ',
  '#',
  '\u2018',
  '\u201b',
  '\u2400',
  '\u2401',
  '\u240a',
  '\u241f',
  '\u2420',
  '\u2421',
  '\u2422',
  '\uff0e',
  '\uff0f',
  '\ufffd',
  '7F',
].map((text) => Buffer.from(text))
const rawPieces = [[0xff], [0xc0], [0xe2], [0xe2, 0x90], [0xe2, 0x80], [0xef, 0xbc], [0xed, 0xa0, 0x80]].map(
  (bytes) => Buffer.from(bytes),
)

const name = fc
  .array(fc.constantFrom(...pieces, ...rawPieces), { minLength: 1, maxLength: 6 })
  .map((list) => Buffer.concat(list))
  .filter((bytes) => bytes.toString('latin1') !== '.' && bytes.toString('latin1') !== '..')

async function listed(folder: string): Promise<readonly string[]> {
  const { stdout } = await run('rclone', ['--config', '/dev/null', 'lsf', folder], {
    encoding: 'latin1',
    env: toolEnvironment(process.env),
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe("rclone's names", () => {
  test('are those that rclone lists', async () => {
    await using temp = await tempFolder()
    const names = new Map(fc.sample(name, 1500).map((bytes) => [latin1(bytes), bytes]))
    for (const text of HOSTILE_NAMES) names.set(latin1(Buffer.from(text)), Buffer.from(text))
    await mkdir(join(temp.path, 'names'))
    for (const bytes of names.values())
      await writeFile(Buffer.concat([Buffer.from(join(temp.path, 'names/')), bytes]), '')
    // Where two names mean the same to rclone, it lists both alike.
    expect([...names.values()].map((bytes) => latin1(encodeRcloneName(bytes))).sort()).toEqual(
      await listed(join(temp.path, 'names')),
    )
  })

  test('stand for the files that rclone finds by them, and for those it writes', async () => {
    await using temp = await tempFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    await mkdir(from)
    const names = new Map(fc.sample(name, 400).map((bytes) => [latin1(bytes), bytes]))
    for (const bytes of names.values())
      await writeFile(Buffer.concat([Buffer.from(`${from}/`), bytes]), bytes)
    const list = [...names.values()].map((bytes) => `${latin1(encodeRcloneName(bytes))}\n`)
    await writeFile(join(temp.path, 'list'), Buffer.from(list.join(''), 'latin1'))
    const argv = [
      '--files-from-raw',
      join(temp.path, 'list'),
      '--no-traverse',
      '--no-unicode-normalization',
      from,
      to,
    ]
    await run('rclone', ['--config', '/dev/null', 'copy', ...argv], { env: toolEnvironment(process.env) })
    const arrived = (await readdir(Buffer.from(to), { encoding: 'buffer' })).map(latin1)
    expect(arrived.sort()).toEqual([...names.values()].filter(isRcloneName).map(latin1).sort())
  })

  test('lead back to the bytes, for every name that rclone can hold', () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.uint8Array({ minLength: 1 })), (bytes) => {
        const path = Buffer.from(bytes.filter((byte) => byte !== 0))
        const back = Buffer.from(decodeRcloneName(encodeRcloneName(path)))
        expect(isRcloneName(path)).toBe(back.equals(path))
        // What rclone shows is what it shows for the file it would write.
        expect(latin1(encodeRcloneName(back))).toBe(latin1(encodeRcloneName(path)))
      }),
    )
  })

  test('ordinary names are themselves', () => {
    for (const text of ['a/b c/d', 'é', '日本', 'e\u0301', '%20', '‘quoted’'])
      expect(Buffer.from(encodeRcloneName(Buffer.from(text))).toString()).toBe(text)
    expect(Buffer.from(encodeRcloneName(Buffer.from('a\nb/c\x7f'))).toString()).toBe('a␊b/c␡')
    expect(isRcloneName(Buffer.from('ends in ‛'))).toBe(false)
  })
})
