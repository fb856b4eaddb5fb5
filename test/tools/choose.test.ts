import { describe, expect, test } from 'vitest'
import type { Location, Transfer } from '../../src/plan/plan.ts'
import { chooseTool, missing, SMALL_FILE_BYTES } from '../../src/tools/choose.ts'
import { chooseProof } from '../../src/tools/proof.ts'
import type { FoundTools, ToolVersion } from '../../src/tools/tool.ts'
import { local, remote, transferOf } from '../script/stage.ts'

const rclone: ToolVersion = {
  tool: 'rclone',
  path: '/usr/bin/rclone',
  text: 'v1.60.1-DEV',
  major: 1,
  minor: 60,
}
const rsync: ToolVersion = { tool: 'rsync', path: '/usr/bin/rsync', text: '3.2.7', major: 3, minor: 2 }
const both: FoundTools = { rclone, rsync }
const store = remote('store', 'bucket', '/c')

function transfer(
  change: Partial<Transfer> = {},
  from: Location = local('/a'),
  to: Location = local('/b'),
): Transfer {
  return { ...transferOf({ from, to, tool: 'rclone' }), tool: 'auto', ...change }
}

const small = {
  files: 1000,
  bytes: 1000 * (SMALL_FILE_BYTES - 1),
  hasHardLinks: false,
  symlinks: 0,
  oddNames: 0,
}
const large = { files: 1000, bytes: 1000 * SMALL_FILE_BYTES, hasHardLinks: false, symlinks: 0, oddNames: 0 }

describe('chooseTool', () => {
  test.each([
    ['small files', small, transfer(), 'rsync: small files: it spends less on each'],
    ['large files', large, transfer(), 'rclone: large files: it copies several at once'],
    [
      'no files',
      { files: 0, bytes: 0, hasHardLinks: false, symlinks: 0, oddNames: 0 },
      transfer(),
      'rsync: small files: it spends less on each',
    ],
    [
      'hard links',
      { ...large, hasHardLinks: true, symlinks: 0, oddNames: 0 },
      transfer(),
      'rsync: it keeps hard links',
    ],
    ['a remote', small, transfer({}, store), 'rclone: it reaches remotes'],
    [
      'symlinks there',
      small,
      transfer({ followDestinationLinks: true }),
      'rclone: it writes through symlinks at the destination',
    ],
    ['its name', small, transfer({ tool: 'rclone' }), 'rclone: named in the plan'],
  ])('%s', (_, load, one, wanted) => {
    const choice = chooseTool(one, both, load)
    expect(choice.ok && `${choice.value.name}: ${choice.value.reason}`).toBe(wanted)
  })

  test('takes the other one where the better one is not there, and says so', () => {
    const choice = chooseTool(transfer(), { rclone, rsync: missing('rsync') }, small)
    expect(choice).toMatchObject({
      ok: true,
      value: {
        name: 'rclone',
        reason: 'rsync would suit better (small files: it spends less on each), but is not there',
      },
    })
  })

  test('names what to install where nothing fits', () => {
    const none = { rclone: missing('rclone'), rsync: missing('rsync') }
    const codes = (result: ReturnType<typeof chooseTool>): readonly string[] =>
      result.ok ? [] : result.error.map(({ code, what }) => `${code} ${what}`)
    expect(codes(chooseTool(transfer(), none, small))).toEqual([
      'SX401 rsync is not installed here',
      'SX401 rclone is not installed here',
    ])
    expect(codes(chooseTool(transfer({}, store), { rsync }, small))).toEqual([
      'SX401 rclone is not installed here',
    ])
    expect(codes(chooseTool(transfer({ tool: 'rsync' }, store), both, small))).toEqual([
      'SX402 transfer data: rsync copies between folders, and between a folder and a server',
    ])
    const old = { rclone: { ...rclone, text: 'v1.45', minor: 45 } }
    expect(codes(chooseTool(transfer({ tool: 'rclone' }), old, small))).toEqual([
      'SX403 rclone v1.45 is too old: 1.52 or newer is needed',
    ])
    expect(codes(chooseTool(transfer({ tool: 'rsync', followDestinationLinks: true }), both, small))).toEqual(
      ['SX405 transfer data: rsync does not write through symlinks at the destination'],
    )
  })
})

describe('chooseProof', () => {
  test.each([
    [transfer(), 'size+mtime', undefined],
    [transfer({ compare: 'size' }), 'size', 'blind'],
    [transfer({}, store), 'size', 'blind'],
    [transfer({}, local('/a'), store), 'size', 'blind'],
    [transfer({ verify: 'download' }, store), 'download', undefined],
    [transfer({ verify: 'none' }), 'none', undefined],
  ])('%#', (one, kind, blind) => {
    const proof = chooseProof(one)
    expect(proof.kind).toBe(kind)
    expect(proof.blind === undefined ? undefined : 'blind').toBe(blind)
  })
})
