/** What becomes of a plan without mistakes. */

import { describe, expect, test } from 'vitest'
import { diagnosticsOf, planOf } from './fixtures.ts'

const plain = { requeue: true, extra: [] }

function transferOf(fields: string, top = ''): ReturnType<typeof planOf>['transfers'][number] {
  const [transfer] = planOf(`version: 1\n${top}transfers:\n  t: { from: /a, to: /b${fields} }\n`).transfers
  if (transfer === undefined) throw new Error('no transfer')
  return transfer
}

describe('a plan', () => {
  test('has its defaults', () => {
    expect(planOf('version: 1\ntransfers: { t: { from: /a/, to: ~/b } }')).toEqual({
      name: 'plan',
      file: '/plans/plan.yaml',
      folder: '/plans',
      transfers: [
        {
          name: 't',
          from: { kind: 'local', path: '/a' },
          to: { kind: 'local', path: '/home/alice/b' },
          toIsDirectory: false,
          tool: 'auto',
          existing: 'update',
          compare: 'auto',
          verify: 'auto',
          where: 'slurm',
          nodes: 4,
          include: [],
          exclude: [],
          options: {},
          onChange: 'refuse',
          followDestinationLinks: false,
          after: [],
          afterJobs: [],
          attempts: 3,
          slurm: { copy: plain, fixup: plain, verify: plain, prune: plain, directories: plain },
        },
      ],
      tools: {},
      environmentPass: [],
    })
  })

  test('has what was written', () => {
    const plan = planOf(`
version: 1
name: données ✓
state: ../runs
nodes: 7
tools: { rclone: { setup: ["module load rclone"], path: ~/bin/rclone }, rsync: {} }
environment: { pass: [NO_PROXY, HTTPS_PROXY, NO_PROXY] }
endpoints: { cloud: { type: rclone, config: conf/rclone.conf, remote: team drive } }
transfers:
  second: { from: "cloud:a//b/./c/", to: "/x y/z/" }
  first:
    { from: /a, to: "cloud:", tool: rclone, existing: keep, compare: checksum, verify: download, nodes: 1, include: ["*.a"],
      exclude: ["*.b"], symlinks: skip, umask: "0027", bandwidth: 8 Gbit/s, options: { rclone: { transfers: 3, buffer-size: 1Gi } },
      onChange: deliver-unchanged, followDestinationLinks: true, after: [second, { transfer: second }], retries: { attempts: 1 } }
`)
    expect(plan).toMatchObject({
      name: 'données ✓',
      stateDir: '/runs',
      tools: {
        rclone: { setup: ['module load rclone'], path: '/home/alice/bin/rclone' },
        rsync: { setup: [] },
      },
      environmentPass: ['NO_PROXY', 'HTTPS_PROXY'],
    })
    expect(plan.transfers.map(({ name }) => name)).toEqual(['second', 'first'])
    expect(plan.transfers[0]).toMatchObject({
      from: {
        kind: 'rclone',
        endpoint: 'cloud',
        remote: 'team drive',
        configPath: '/plans/conf/rclone.conf',
        path: 'a//b/c',
      },
      to: { kind: 'local', path: '/x y/z' },
      toIsDirectory: true,
      nodes: 7,
    })
    expect(plan.transfers[1]).toMatchObject({
      to: { kind: 'rclone', path: '' },
      toIsDirectory: true,
      tool: 'rclone',
      existing: 'keep',
      compare: 'checksum',
      verify: 'download',
      nodes: 1,
      include: ['*.a'],
      exclude: ['*.b'],
      symlinks: 'skip',
      umask: '0027',
      bandwidth: 1e9,
      options: { rclone: { transfers: 3, 'buffer-size': '1Gi' } },
      onChange: 'deliver-unchanged',
      followDestinationLinks: true,
      after: ['second'],
      attempts: 1,
    })
  })

  test('merges Slurm options from plan to transfer to stage, the innermost wins', () => {
    const { slurm } = transferOf(
      ', slurm: { cpus: 2, requeue: false, verify: { cpus: 3, extra: [] }, prune: { cpus: 9 } }',
      'slurm: { cpus: 1, partition: main, time: 90, memory: 0, extra: [--contiguous] }\n',
    )
    const outer = { partition: 'main', time: 5400, memory: '0', requeue: false }
    expect(slurm).toEqual({
      copy: { ...outer, cpus: 2, extra: ['--contiguous'] },
      fixup: { ...outer, cpus: 2, extra: ['--contiguous'] },
      directories: { ...outer, cpus: 2, extra: ['--contiguous'] },
      verify: { ...outer, cpus: 3, extra: [] },
      prune: { ...outer, cpus: 9, extra: ['--contiguous'] },
    })
  })

  test.each([
    ['', undefined],
    [', mode: copy', undefined],
    [', mode: mirror', { maxDeleteShare: 0.1 }],
    [', mode: mirror, maxDelete: 0%', { maxDeleteShare: 0 }],
    [', mode: mirror, maxDelete: 2.5%', { maxDeleteShare: 0.025 }],
    [', mode: mirror, maxDelete: 100%', { maxDeleteShare: 1 }],
  ])('%j is a mirror with a share of %j', (written, mirror) => {
    expect(transferOf(written).mirror).toEqual(mirror)
  })

  test('takes `exclusive` of a transfer for the Slurm option', () => {
    expect(transferOf(', exclusive: true').slurm.copy.exclusive).toBe(true)
    expect(transferOf(', exclusive: false', 'exclusive: true\n').slurm.copy.exclusive).toBe(false)
    expect(transferOf('', 'exclusive: true\n').slurm.verify.exclusive).toBe(true)
  })

  test.each([
    ['90', 5400],
    ['30:15', 1815],
    ['1:00:00', 3600],
    ['1-12', 129_600],
    ['1-12:30', 131_400],
    ['1-00:00:01', 86_401],
  ])('time %s is %i s', (written, seconds) => {
    expect(transferOf(`, slurm: { time: "${written}" }`).slurm.copy.time).toBe(seconds)
  })

  test.each([
    ['10Gbit/s', 1.25e9],
    ['1.2GiB/s', 1.2 * 2 ** 30],
    ['800kbit/s', 1e5],
    ['2 MB/s', 2e6],
    ['1024B/s', 1024],
  ])('bandwidth %s is %d bytes per second', (written, rate) => {
    expect(transferOf(`, bandwidth: ${written}`).bandwidth).toBeCloseTo(rate)
  })

  test.each([
    ['/a:b', '/a:b'],
    ['"/with space/-x/#y"', '/with space/-x/#y'],
    ['"/line\\nbreak"', '/line\nbreak'],
    ['/a//b/./c/', '/a/b/c'],
    ['"/$${not}/a variable"', '/${not}/a variable'],
    ['~/x', '/home/alice/x'],
    ['"~"', '/home/alice'],
    ['/e\u0301', '/e\u0301'],
  ])('path %s', (written, path) => {
    expect(planOf(`version: 1\ntransfers: { t: { from: ${written}, to: /dst } }`).transfers[0]?.from).toEqual(
      {
        kind: 'local',
        path,
      },
    )
  })
})

describe('variables', () => {
  const text =
    'version: 1\nvars: { root: /r, n: 3, on: true, home: "${env.BASE}" }\ntransfers: { t: { from: "${root}/a", to: "${home}/b", nodes: "${n}", followDestinationLinks: "${on}" } }'
  const env = { BASE: '/base' }

  test('keep their type where they are the whole value', () => {
    const [transfer] = planOf(text, { env }).transfers
    expect(transfer).toMatchObject({
      from: { path: '/r/a' },
      to: { path: '/base/b' },
      nodes: 3,
      followDestinationLinks: true,
    })
  })

  test('are overridden by --var, in the type of the plan', () => {
    const vars = { root: '/o', n: '12', on: 'false', home: '/h' }
    expect(planOf(text, { env, vars }).transfers[0]).toMatchObject({
      from: { path: '/o/a' },
      to: { path: '/h/b' },
      nodes: 12,
      followDestinationLinks: false,
    })
  })

  test('are put in once: what a value brings is not read again', () => {
    const [transfer] = planOf(text, { env, vars: { root: '/${n}/${env.BASE}' } }).transfers
    expect(transfer?.from).toMatchObject({ path: '/${n}/${env.BASE}/a' })
  })

  test.each([
    ['GH', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'],
    ['ID', 'AKIAIOSFODNN7EXAMPLE'],
    ['URL', 'https://bob:hunter2@example.net/'],
    ['PEM', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['X', 'wJalrXUtnFEMI0K7MDENGbPxRfiCYEXAMPLEKEY1'],
    ['JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x'],
    ['DB_PASSWORD', 'hunter2'],
  ])('%s from the environment is refused as a secret', (name, value) => {
    const codes = diagnosticsOf(`version: 1\ntransfers: { t: { from: "/\${env.${name}}", to: /b } }`, {
      env: { [name]: value },
    })
    expect(codes.map(({ code }) => code)).toEqual(['SX112'])
    expect(JSON.stringify(codes)).not.toContain(value)
  })

  test.each([
    ['SSH_KEY', '/home/alice/.ssh/id_ed25519'],
    ['USER', 'alice'],
    ['DATA', '/mnt/Fs01/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'],
    ['COMMIT', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'],
  ])('%s from the environment is no secret', (name, value) => {
    expect(
      diagnosticsOf(`version: 1\ntransfers: { t: { from: "/x\${env.${name}}", to: /b } }`, {
        env: { [name]: value },
      }),
    ).toEqual([])
  })
})
