import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { s3Available, sshAvailable } from '../lab/available.ts'
import { startS3Server } from '../lab/s3.ts'
import { startSshServer } from '../lab/ssh.ts'
import { puppet } from '../rig/puppet.ts'
import { plainEnvironment } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import { openCase, realProgram, startSoxplan, writePlan, type Case } from './case.ts'

/** What a killed rsync or rclone leaves of the files of `SOURCE`, and what is nobody's or somebody else's. */
const KEPT_PART = 'sub/.soxplan-partial/big'
const HALVES = [KEPT_PART, 'sub/.big.aB3xYz', 'sub/big.0123abcd.partial', '.odd\nname.Zz9Zz9']
const OTHERS = ['sub/.other.aB3xYz', 'sub/.soxplan-partial/other']

async function leaveHalves(to: string): Promise<void> {
  await writeTree(to, Object.fromEntries([...HALVES, ...OTHERS].map((name) => [name, 'half'])))
}

/** An rsync that is killed while it writes, the first so many times. */
async function dyingRsync(at: Case, to: string, deaths = 1000): Promise<NodeJS.ProcessEnv> {
  const real = await realProgram('rsync')
  const left = join(at.path, 'left')
  await leaveHalves(left)
  const script = `[[ $1 == --version ]] && exec ${real} "$@"
died='${join(at.path, 'died')}'
[[ -e $died ]] && (($(wc -l <"$died") >= ${deaths})) && exec ${real} "$@"
echo >>"$died"
cp -r --no-preserve=timestamps '${left}/.' '${to.replaceAll("'", `'\\''`)}'
kill -9 $$`
  return puppet(join(at.path, 'bin'), 'rsync', script, plainEnvironment())
}

function clean(at: Case, args: readonly string[]): ReturnType<typeof startSoxplan>['ended'] {
  return startSoxplan(['clean', ...args], { cwd: at.path }).ended
}

const SOURCE = { 'sub/big': 'big', 'odd\nname': 'odd', fine: 'fine' }

describe('soxplan clean', () => {
  test('shows and removes the half files of its run, and nothing else', async () => {
    await using at = await openCase({ tool: 'rsync', retries: { attempts: 1 } })
    await writeTree(at.from, SOURCE)
    const broken = await at.apply([], { env: await dyingRsync(at, at.to) })
    expect(broken.exitCode).toBe(1)
    // What rsync can go on with stays, because the next apply tries again.
    expect(broken.stderr).toContain('Removed 3 half files and broken uploads.\n')
    expect((await readdir(at.to, { recursive: true })).sort()).toEqual(
      ['sub', 'sub/.soxplan-partial', KEPT_PART, ...OTHERS].sort(),
    )
    // A tool of a node that nobody could reach may still have been at it.
    await leaveHalves(at.to)
    const run = basename(await at.run())
    const asked = await clean(at, [run])
    expect(asked.exitCode).toBe(2)
    expect(asked.stderr).toContain('error SX001: There is no terminal to ask on')
    const cleaned = await clean(at, [run, '--yes', '--keep'])
    expect(cleaned.stderr).toBe('')
    const [first, ...names] = cleaned.stdout.trimEnd().split('\n')
    expect(first).toBe(`data: 4 half files (16 B) in ${at.to}`)
    expect(names.slice(0, -1).sort()).toEqual([
      "  $'./.odd\\nname.Zz9Zz9'",
      '  ./sub/.big.aB3xYz',
      '  ./sub/.soxplan-partial/big',
      '  ./sub/big.0123abcd.partial',
    ])
    expect(names.at(-1)).toBe('Removed.')
    expect((await readdir(at.to, { recursive: true })).sort()).toEqual([
      'sub',
      'sub/.other.aB3xYz',
      'sub/.soxplan-partial',
      'sub/.soxplan-partial/other',
    ])
    expect((await clean(at, [run, '--yes', '--keep'])).stdout).toBe('Nothing was left behind.\n')
  })

  test('has nothing to do after a run that delivered all: what its tools left is gone, and what the source names like that is there', async () => {
    await using at = await openCase({ tool: 'rsync', retries: { attempts: 2 } })
    const twins = { 'sub/.big.aBcDeF': 'a file like others', 'sub/big.abcd0123.partial': 'another' }
    await writeTree(at.from, { ...SOURCE, ...twins })
    const { exitCode, stderr } = await at.apply([], { env: await dyingRsync(at, at.to, 1) })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('Removed 4 half files and broken uploads.\n')
    expect((await readdir(at.to, { recursive: true })).sort()).toEqual(
      ['sub', 'sub/.soxplan-partial', ...Object.keys({ ...SOURCE, ...twins }), ...OTHERS].sort(),
    )
    expect((await clean(at, [basename(await at.run()), '--yes', '--keep'])).stdout).toBe(
      'Nothing was left behind.\n',
    )
  })

  test('takes the folder of a run that is over along, and knows a run by its folder too', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, SOURCE)
    expect((await at.apply()).exitCode).toBe(0)
    const folder = await at.run()
    const cleaned = await clean(at, [folder, '--yes'])
    expect(cleaned.stdout).toBe(
      `Nothing was left behind.\nThe folder of the run: ${folder}\nRemoved; run ${basename(folder)} is gone.\n`,
    )
    expect(await readdir(join(at.state, 'runs'))).toEqual([])
    expect(await readFile(join(at.to, 'fine'), 'utf8')).toBe('fine')
    const again = await clean(at, [basename(folder), '--yes'])
    expect(again.exitCode).toBe(2)
    expect(again.stderr).toContain(`error SX607: There is no run ${basename(folder)} in ${at.state}`)
  })

  test.runIf(sshAvailable())('cleans on a server over SSH', async () => {
    await using at = await openCase()
    await using server = await startSshServer()
    const there = join(server.folder, "it's there")
    await mkdir(there)
    const { host, port, user, keys, knownHosts } = server
    const far = { type: 'ssh', host, port, user, key: keys.good, knownHosts: knownHosts.right }
    const transfer = { from: at.from, to: `far:${there}`, tool: 'rsync', retries: { attempts: 1 } }
    await writePlan(at.path, { endpoints: { far }, transfers: { data: transfer } })
    await writeTree(at.from, SOURCE)
    await at.apply([], { env: await dyingRsync(at, there) })
    await leaveHalves(there)
    const cleaned = await clean(at, [basename(await at.run()), '--yes'])
    expect(cleaned.stdout).toContain(`data: 4 half files (16 B) in far:${there}\n`)
    expect((await readdir(join(there, 'sub'))).sort()).toEqual(['.other.aB3xYz', '.soxplan-partial'])
  })

  test.runIf(s3Available())('ends the uploads that its run began, and leaves those of others', async () => {
    await using at = await openCase()
    await using server = await startS3Server()
    await server.makeBucket('broken')
    const { endpoint, credentials } = server
    const store = { type: 's3', bucket: 'broken', endpoint, provider: 'Ceph', profile: 'store', credentials }
    const transfer = { from: at.from, to: 'store:in', retries: { attempts: 1 } }
    await writePlan(at.path, { endpoints: { store }, transfers: { data: transfer } })
    await writeTree(at.from, { 'sub/big': 'big', a: 'a' })
    const real = await realProgram('rclone')
    const dying = `case "$1" in copy | copyto) exit 1 ;; *) exec ${real} "$@" ;; esac`
    await at.apply([], { env: await puppet(join(at.path, 'bin'), 'rclone', dying, plainEnvironment()) })
    for (const key of ['in/sub/big', 'in/a', 'in/another', 'elsewhere']) {
      const began = await server.aws(
        'store',
        's3api',
        'create-multipart-upload',
        '--bucket',
        'broken',
        '--key',
        key,
      )
      expect(began.exitCode).toBe(0)
    }
    const cleaned = await clean(at, [basename(await at.run()), '--yes', '--keep'])
    expect(cleaned.stdout).toBe(
      [
        'data: 1 broken uploads in store:in',
        '  sub/big',
        'data: 1 broken uploads in store:in stay, because others began under the same names',
        '  a',
        'Removed.',
        '',
      ].join('\n'),
    )
    const left = await server.aws('store', 's3api', 'list-multipart-uploads', '--bucket', 'broken')
    expect([...left.stdout.matchAll(/"Key": "([^"]+)"/g)].map(([, key]) => key).sort()).toEqual([
      'elsewhere',
      'in/a',
      'in/another',
    ])
  })
})
