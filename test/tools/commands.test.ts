import { describe, expect, test } from 'vitest'
import { bytesPerSecond } from '../../src/units.ts'
import type { Location, Transfer } from '../../src/plan/plan.ts'
import { optionWarnings } from '../../src/tools/options.ts'
import { rclone, rcloneMemoryBytes } from '../../src/tools/rclone.ts'
import { rsync } from '../../src/tools/rsync.ts'
import type { CopyContext, ToolVersion } from '../../src/tools/tool.ts'
import { local, remote, transferOf } from '../script/stage.ts'

const store = remote('store', 'bucket/train', '/etc/rclone.conf')

function version(text: string): ToolVersion {
  const [major = 0, minor = 0] = text.split('.').map(Number)
  return { tool: major === 1 ? 'rclone' : 'rsync', path: '/x', text, major, minor }
}

function context(text: string, from: Location, to: Location, change: Partial<Transfer> = {}): CopyContext {
  const tool = version(text).tool
  const transfer = { ...transferOf({ from, to, tool }), ...change }
  return {
    transfer,
    version: version(text),
    source: { root: from },
    destination: { root: to },
    hasHardLinks: false,
  }
}

describe('rclone', () => {
  test('gets no flag that its version lacks', () => {
    const { args, needs, argsAsRoot } = rclone.copyCommand(context('1.55', local('/a'), local('/b')))
    expect(args.join(' ')).not.toMatch(/chunk-size|metadata/)
    expect(argsAsRoot).toEqual([])
    expect(needs).toEqual({ major: 1, minor: 52 })
    expect(rclone.copyCommand(context('1.75', local('/a'), store)).args).toContain(
      '--multi-thread-chunk-size=64Mi',
    )
  })

  test('makes no full-size file with holes: old versions copy in one stream to disks, whatever the plan asks', () => {
    const options = { rclone: { 'multi-thread-streams': 24 } }
    const last = (text: string, to: Location): string | undefined =>
      rclone
        .copyCommand(context(text, store, to, { options }))
        .args.filter((arg) => arg.startsWith('--multi-thread-streams'))
        .at(-1)
    expect(last('1.60', local('/b'))).toBe('--multi-thread-streams=0')
    expect(last('1.63', local('/b'))).toBe('--multi-thread-streams=24')
    expect(last('1.60', store)).toBe('--multi-thread-streams=24')
  })

  test('never traverses between disks, always on a bucket, and reads no config where it needs none', () => {
    const disks = rclone.copyCommand(context('1.60', local('/a'), local('/b'))).args
    expect(disks).toEqual(
      expect.arrayContaining(['--no-traverse', '--ignore-checksum', '--config=/dev/null', '--retries=1']),
    )
    const up = rclone.copyCommand(context('1.60', local('/a'), store))
    expect(up.args).toEqual(
      expect.arrayContaining(['--config=/etc/rclone.conf', '--no-unicode-normalization']),
    )
    expect(up.args).not.toContain('--no-traverse')
    expect(up.args).not.toContain('--ignore-checksum')
    expect([up.source, up.destination]).toEqual(['/a', 'store:bucket/train'])
  })

  test('the policy of the plan', () => {
    const flags = (change: Partial<Transfer>): readonly string[] =>
      rclone.copyCommand(context('1.60', local('/a'), local('/b'), change)).args
    expect(flags({ existing: 'keep' })).toContain('--ignore-existing')
    expect(flags({ existing: 'error' })).toContain('--ignore-existing')
    expect(flags({ existing: 'keep-newer' })).toContain('--update')
    expect(flags({ compare: 'checksum' })).toContain('--checksum')
    expect(flags({ compare: 'size' })).not.toContain('--size-only')
    expect(flags({ symlinks: 'follow' })).toContain('--copy-links')
    const limited = {
      ...context('1.60', local('/a'), local('/b')),
      bandwidthPerWorker: bytesPerSecond(1234567.8),
    }
    expect(rclone.copyCommand(limited).args).toContain('--bwlimit=1234567B')
  })

  test('an option that is too new is left out with a warning', () => {
    const one = context('1.60', local('/a'), store, {
      options: { rclone: { 'max-connections': 4, transfers: 2, 'use-mmap': true } },
    })
    const { args } = rclone.copyCommand(one)
    expect(args).toEqual(expect.arrayContaining(['--transfers=2', '--use-mmap=true']))
    expect(args.join(' ')).not.toContain('max-connections')
    expect(optionWarnings(one.transfer, one.version).map(({ code, what }) => `${code} ${what}`)).toEqual([
      'SX404 transfer data: rclone 1.60 does not know max-connections, so it is left out',
    ])
    const newer = context('1.75', local('/a'), store, { options: { rclone: { 'max-connections': 4 } } })
    expect(rclone.copyCommand(newer).needs).toEqual({ major: 1, minor: 70 })
  })

  test('an upload never needs more than 10,000 parts, and its parts no more memory', () => {
    const [gib, tib] = [2 ** 30, 2 ** 40]
    const parts = (largestBytes?: number): readonly string[] =>
      rclone
        .copyCommand({
          ...context('1.60', local('/a'), store),
          ...(largestBytes === undefined ? {} : { largestBytes }),
        })
        .args.filter((arg) => arg.startsWith('--s3-chunk-size') || arg.startsWith('--s3-upload-concurrency'))
    expect(parts()).toEqual(['--s3-chunk-size=32Mi', '--s3-upload-concurrency=4'])
    expect(parts(312 * gib)).toEqual(['--s3-chunk-size=32Mi', '--s3-upload-concurrency=4'])
    // 10,000 parts of 32 MiB exactly, and one byte more.
    expect(parts(320_000 * 2 ** 20)).toEqual(['--s3-chunk-size=32Mi', '--s3-upload-concurrency=4'])
    expect(parts(320_000 * 2 ** 20 + 1)).toEqual(['--s3-chunk-size=33Mi', '--s3-upload-concurrency=4'])
    expect(parts(2 * tib)).toEqual(['--s3-chunk-size=210Mi', '--s3-upload-concurrency=2'])
    expect(parts(5 * tib)).toEqual(['--s3-chunk-size=525Mi', '--s3-upload-concurrency=1'])
    const most = { ...context('1.60', local('/a'), store), largestBytes: 5 * tib }
    expect(rcloneMemoryBytes(most)).toBeLessThan(18 * gib)
  })

  test('its memory has a bound', () => {
    const gib = 2 ** 30
    expect(rcloneMemoryBytes(context('1.60', local('/a'), local('/b')))).toBeLessThan(0.5 * gib)
    expect(rcloneMemoryBytes(context('1.60', store, local('/b')))).toBeLessThan(1.5 * gib)
    expect(rcloneMemoryBytes(context('1.60', local('/a'), store))).toBeLessThan(6 * gib)
  })

  test('what its log says', () => {
    const line = (bytes: number): string =>
      `{"level":"notice","msg":"x","stats":{"bytes":${bytes},"checks":0},"time":"t"}\n`
    expect(rclone.progress(`half a line "stats":{"bytes":\n${line(5)}${line(1234)}{"level":"err`)).toBe(1234)
    expect(rclone.progress('')).toBeUndefined()
    expect(rclone.classifyLog('Failed to copy: write /b/x: no space left on device')).toBe('no-space')
    expect(rclone.classifyLog('Error: unknown flag: --foo')).toBe('usage')
    expect(rclone.classifyLog('dial tcp: lookup x: no such host')).toBe('unreachable')
    expect(rclone.classifyLog('all good')).toBe('unknown')
  })
})

describe('rsync', () => {
  test('copies listed entries only, and keeps half a file out of sight', () => {
    const plain = context('3.2', local('/a'), local('/b'))
    const { args, destination, listFlag, callsAtOnce } = rsync.copyCommand(plain)
    expect(args).toEqual(expect.arrayContaining(['--relative', '--no-implied-dirs']))
    expect(args.join(' ')).not.toMatch(/--(archive|recursive|inplace|hard-links|delete)/)
    expect([listFlag, destination, callsAtOnce]).toEqual([undefined, '/b/', 8])
    // A limit is one for all calls.
    expect(rsync.copyCommand({ ...plain, bandwidthPerWorker: bytesPerSecond(1e6) }).callsAtOnce).toBe(1)
    expect(rsync.copyCommand(context('3.2', local('/'), local('/b'))).source).toBe('/')
  })

  test('gets all names of a shard in one file where hard links have to be found among them', () => {
    const linked = { ...context('3.2', local('/a'), local('/b')), hasHardLinks: true }
    const { args, source, destination, listFlag, callsAtOnce } = rsync.copyCommand(linked)
    expect(args).toEqual(expect.arrayContaining(['--hard-links', '--from0', '--no-implied-dirs']))
    expect(args).not.toContain('--relative')
    expect([listFlag, source, destination, callsAtOnce]).toEqual(['--files-from', '/a/', '/b/', 1])
  })

  test('a list entry is the bytes behind ./ with a NUL', () => {
    const entry = rsync.listEntry(Buffer.from([0x23, 0x0a, 0xff]), local('/a'))
    expect([...entry]).toEqual([0x2e, 0x2f, 0x23, 0x0a, 0xff, 0])
    expect(Buffer.from(rclone.listEntry(Buffer.from('a\nb'), local('/a'))).toString()).toBe('a␊b\n')
    expect(Buffer.from(rclone.listEntry(Buffer.from('a␊b'), store)).toString()).toBe('a␊b\n')
  })

  test('what its log says', () => {
    expect(
      rsync.progress(
        '      1048576  50%    1.00MB/s    0:00:01\r      2097152 100%    2.00MB/s    0:00:01 (xfr#1, to-chk=0/1)\n',
      ),
    ).toBe(2097152)
    expect(rsync.progress('sending\n')).toBeUndefined()
    expect(rsync.classifyLog('rsync: write failed on "/b": No space left on device (28)')).toBe('no-space')
  })

  test('switches of the plan', () => {
    const options = { rsync: { compress: true, 'whole-file': false, timeout: 30 } }
    const { args } = rsync.copyCommand(context('3.2', local('/a'), local('/b'), { options }))
    expect(args.slice(-3)).toEqual(['--compress', '--no-whole-file', '--timeout=30'])
  })
})
