import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareTrees, listTree } from '../rig/compare.ts'
import { plainEnvironment, runSoxplan } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import { lastLines, openCase, TOOLS, withVariables, writePlan } from './case.ts'

const run = promisify(execFile)
const NOBODY = 65_534

test('the whole preview of a small plan, word for word', async () => {
  await using at = await openCase({ tool: 'rclone', verify: 'checksum' })
  await writeTree(at.from, { 'a/b': 'b', c: 'cc' })
  await writeTree(at.to, { c: 'other' })
  const { exitCode, stdout, stderr } = await at.plan()
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const { stdout: version } = await run('rclone', ['version'])
  const text = stdout
    .replaceAll(at.path, '')
    .replace(version.split('\n', 1)[0]?.split(' ')[1] ?? '', 'v1')
    .replace(/(path {7})\S+ → \S+/, '$1/from/NAME → /to/NAME')
  expect(text).toBe(`case (plan.yaml), on this machine

data: /from → /to
  path       /from/NAME → /to/NAME
  tool       rclone v1: named in the plan
  + new      1 file (1 B), 1 directory
  ~ changed  1 file (2 B)
  shards     1, the heaviest 1.000 times the mean
  workers    1
  time       about 0s (assumed: 953.7 MiB/s and 2,000 files/s per worker)
  proof      name, size and content hash

Steps
  data.copy: 1 shard, 1 worker
  data.verify: 1 shard, 1 worker, after data.copy

Plan: 2 steps, 1 shard on 1 worker, 3 B in 2 files to copy, 0 to delete; est. 0s at 2.0 KiB/s.
`)
})

describe('plan', () => {
  test('writes nothing, neither beside itself nor at the ends nor into the temp folder', async () => {
    await using at = await openCase()
    await writeTree(at.from, { a: 'a' })
    const temp = join(at.path, 'temp')
    await mkdir(temp)
    const before = [...(await listTree(at.path)).keys()]
    expect((await at.plan([], { env: withVariables({ TMPDIR: temp }) })).exitCode).toBe(0)
    expect([...(await listTree(at.path)).keys()]).toEqual(before)
  })

  test('works beside a plan in a folder that is read-only, for a user who is not root', async () => {
    await using at = await openCase()
    await writeTree(at.from, { a: 'a' })
    const isRoot = process.getuid?.() === 0
    if (isRoot) await run('chown', ['-R', String(NOBODY), at.path])
    await chmod(at.path, 0o555)
    const as = isRoot ? { uid: NOBODY } : {}
    const env = withVariables({ HOME: at.path })
    const planned = await at.plan([], { env, ...as })
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' })
    const applied = await at.apply([], { env, ...as })
    expect(applied.exitCode).toBe(1)
    expect(applied.stderr).toContain(`error SX602: The state folder ${at.state} can not be written: EACCES`)
    expect(applied.stderr).toContain('\n  Name another folder with --state DIR ')
  })

  test('--detailed-exitcode tells work from none and from errors', async () => {
    await using at = await openCase()
    await writeTree(at.from, { a: 'a' })
    const detailed = async (): Promise<number> => (await at.plan(['--detailed-exitcode'])).exitCode
    expect(await detailed()).toBe(2)
    expect((await at.apply()).exitCode).toBe(0)
    expect(await detailed()).toBe(0)
    expect(lastLines((await at.plan()).stdout, 1)).toEqual(['Plan: nothing to do.'])
    await writePlan(at.path, { transfers: { data: { from: '/nowhere at all', to: at.to } } })
    const absent = await at.plan(['--detailed-exitcode'])
    expect(absent.exitCode).toBe(1)
    expect(absent.stderr).toContain(
      'error SX201: the source /nowhere at all does not exist\n  Correct `from` in the plan.',
    )
    await writePlan(at.path, { transfers: { data: { from: at.from, to: at.to, tol: 'rsync' } } })
    expect(await detailed()).toBe(1)
    expect((await at.plan()).exitCode).toBe(2)
  })

  test('--json says the same as the text', async () => {
    await using at = await openCase({ tool: 'rsync', existing: 'error', exclude: ['no/**'] })
    await writeTree(at.from, { big: Buffer.alloc(3 * 2 ** 20), a: 'a', 'no/n': 'n', differs: '1' })
    await run('mkfifo', [join(at.from, 'fifo')])
    await writeTree(at.to, { differs: 'other' })
    const env = withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' })
    const [{ stdout: text }, { stdout: json }] = [
      await at.plan([], { env }),
      await at.plan(['--json'], { env }),
    ]
    const preview = JSON.parse(json) as {
      version: number
      transfers: {
        fates: { new: { files: number; bytes: number } }
        refused: { named: { path: string; reason: string }[] }
        skipped: { named: { path: string; reason: string }[] }
        work: {
          shards: number
          balance: { ratio: number; dominant: { path: string } }
          tool: { name: string }
        }
      }[]
      steps: { id: string; shards: number }[]
    }
    const [data] = preview.transfers
    expect(preview.version).toBe(1)
    expect(data?.fates.new).toMatchObject({ files: 2, bytes: 3 * 2 ** 20 + 1 })
    expect(text).toContain('  + new      2 files (3.0 MiB)')
    for (const { path, reason } of [...(data?.refused.named ?? []), ...(data?.skipped.named ?? [])])
      expect(text).toContain(`             ${path}: ${reason}\n`)
    expect(data?.refused.named.map(({ path }) => path)).toEqual(['differs'])
    expect(data?.skipped.named.map(({ path }) => path)).toEqual(['fifo'])
    expect(data?.work.balance.dominant.path).toBe('big')
    expect(text).toContain('             one file causes that: big (3.0 MiB)\n')
    for (const step of preview.steps) expect(text).toContain(`  ${step.id}: ${step.shards} shards, `)
    expect(text).toContain(`  shards     ${data?.work.shards ?? 0}, the heaviest `)
  })

  test('names why a tool is taken', async () => {
    await using at = await openCase()
    const tool = async (): Promise<string> =>
      /\n {2}tool {7}(\w+) \S+: (.*)\n/.exec((await at.plan()).stdout)?.[0] ?? ''
    await writeTree(at.from, { a: 'a' })
    expect(await tool()).toMatch(/rsync \S+: small files: it spends less on each\n/)
    await writeTree(at.from, { big: Buffer.alloc(4 * 2 ** 20) })
    expect(await tool()).toMatch(/rclone \S+: large files: it copies several at once\n/)
    await run('ln', [join(at.from, 'big'), join(at.from, 'also')])
    expect(await tool()).toMatch(/rsync \S+: it keeps hard links\n/)
  })

  test('counts the limit of the plan and the one big file into the time', async () => {
    await using at = await openCase({ tool: 'rsync', bandwidth: '1MiB/s' })
    await writeTree(at.from, { big: Buffer.alloc(3 * 2 ** 20) })
    const { stdout } = await at.plan(['--slots', '4'])
    expect(stdout).toContain(
      '  time       about 3s (assumed: 476.8 MiB/s and 5,000 files/s per worker, 1.0 MiB/s in all)\n',
    )
    expect(lastLines(stdout, 1)[0]).toMatch(/; est\. 3s at 1\.0 MiB\/s\.$/)
  })

  test('is readable on 80 columns and without colour where that is asked for', async () => {
    await using at = await openCase({ from: '/tmp', to: '/var/tmp/nowhere' })
    await writeTree(at.from, { a: 'a' })
    await writePlan(at.path, { transfers: { data: { from: at.from, to: at.to } } })
    const tty = { columns: 80 }
    const { stdout } = await runSoxplan(['plan', 'plan.yaml', '--executor', 'local'], { cwd: at.path, tty })
    const lines = stdout.replaceAll('\r', '').replaceAll(at.path, '/x').split('\n')
    expect(lines.filter((line) => line.length > 80 && !line.startsWith('Plan: '))).toEqual([])
    const wrong = ['plan', 'nothing.yaml']
    const coloured = await runSoxplan(wrong, { cwd: at.path, tty, env: plainEnvironment({ TERM: 'xterm' }) })
    expect(coloured.stdout).toContain('\u001b[')
    const plain = await runSoxplan(wrong, { cwd: at.path, tty, env: plainEnvironment({ NO_COLOR: '1' }) })
    expect(plain.stdout).toContain('error SX141: ')
    expect(plain.stdout).not.toContain('\u001b[')
  })
})

describe('--scripts', () => {
  test.each(TOOLS)('writes exactly what apply then runs, with %s', async (tool) => {
    await using at = await openCase({ tool, verify: 'checksum' })
    await writeTree(at.from, { 'a/b': 'b', c: 'c', 'd/e/f': 'f' })
    const env = withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' })
    const folder = join(at.path, 'scripts')
    expect((await at.plan(['--slots', '2', '--scripts', folder], { env })).exitCode).toBe(0)
    expect((await at.apply([], { env })).exitCode).toBe(0)
    const stages = join(await at.run(), 'stages')
    expect(await readdir(join(folder, 'stages'))).toEqual(['data.copy', 'data.verify'])
    const differences = await compareTrees(join(folder, 'stages'), stages, { modes: true })
    // A run leaves marks, logs and heartbeats beside what was planned; nothing that was planned differs.
    expect(differences.filter((line) => !/^extra: "data\.\w+\/(work|workers|logs)\//.test(line))).toEqual([])
    const script = await readFile(join(stages, 'data.copy/script.sh'), 'utf8')
    expect(script).not.toContain(at.state)
    const again = await at.plan(['--scripts', folder], { env })
    expect(again.exitCode).toBe(2)
    expect(again.stderr).toContain(`error SX604: ${folder} is not empty\n  Name a new folder with --scripts`)
  })

  test('run by hand, they deliver', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { 'a/b': 'b', c: 'c' })
    const folder = join(at.path, 'scripts')
    expect((await at.plan(['--scripts', folder])).exitCode).toBe(0)
    for (const stage of ['copy', 'verify'])
      await run('bash', [join(folder, 'stages', `data.${stage}`, 'script.sh')], {
        cwd: '/',
        env: process.env,
      })
    expect(await compareTrees(at.from, at.to, { mtimes: true })).toEqual([])
  })
})
