/** What `soxplan doctor` says of keys, servers, buckets and files of remotes, on a real sshd and a real S3. */

import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writePlan } from '../apply/case.ts'
import { s3Available, sshAvailable } from '../lab/available.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { tempFolder, type TempFolder } from '../rig/folder.ts'
import { plainEnvironment } from '../rig/soxplan.ts'
import { doctor, section, systemFolder } from './machine.ts'

/** Nothing of this machine's own keys, and no Slurm: HOME is the temp folder, and programs are those of `openTemp`. */
function environment(temp: TempFolder, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = /^(AWS|RCLONE)_/
  const kept = Object.entries(plainEnvironment()).filter(([name]) => !own.test(name))
  return { ...Object.fromEntries(kept), HOME: temp.path, PATH: join(temp.path, 'system'), ...more }
}

async function openTemp(): Promise<TempFolder> {
  const temp = await tempFolder()
  await systemFolder(temp.path, ['rclone', 'rsync', 'ssh', 'ssh-keygen'])
  return temp
}

interface Seen {
  readonly endpoints: string
  readonly destinations: string
  readonly exitCode: number
}

async function look(
  temp: TempFolder,
  endpoint: Readonly<Record<string, unknown>>,
  transfer: Readonly<Record<string, unknown>>,
  env = environment(temp),
): Promise<Seen> {
  await writePlan(temp.path, { endpoints: { old: endpoint }, transfers: { data: transfer } })
  const { stdout, exitCode } = await doctor(temp.path, env, 'plan.yaml')
  return {
    endpoints: section(stdout, 'Endpoints'),
    destinations: section(stdout, 'Destinations'),
    exitCode,
  }
}

describe.skipIf(!sshAvailable())('a server', () => {
  let server: SshServer
  let temp: TempFolder
  beforeAll(async () => {
    server = await startSshServer()
    temp = await openTemp()
    await mkdir(join(temp.path, 'there'))
  })
  afterAll(async () => {
    await temp[Symbol.asyncDispose]()
    await server.close()
  })

  const endpoint = (more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
    type: 'ssh',
    host: server.host,
    port: server.port,
    user: server.user,
    key: server.keys.good,
    knownHosts: server.knownHosts.right,
    ...more,
  })
  const seen = (more: Readonly<Record<string, unknown>> = {}): Promise<Seen> =>
    look(temp, endpoint(more), { from: `old:${temp.path}/there`, to: `${temp.path}/to` })

  test('that lets us in is green: its key, its own key, the source and the room at the destination', async () => {
    const { endpoints, destinations, exitCode } = await seen()
    expect(endpoints).toBe(
      `  ok  endpoint old: key ${server.keys.good}, without a passphrase
  ok  endpoint old: [127.0.0.1]:${server.port} in ${server.knownHosts.right}
  ok  source old:${temp.path}/there: a directory`,
    )
    expect(destinations).toMatch(
      new RegExp(
        `^ {2}ok {2}destination ${temp.path}/to: may be made in ${temp.path}, [\\d.]+ [KMGT]iB free$`,
      ),
    )
    expect(exitCode).toBe(0)
  })

  test('asks for a passphrase: said before anybody tries', async () => {
    const { endpoints, exitCode } = await seen({ key: server.keys.locked })
    expect(endpoints).toMatch(
      new RegExp(
        `^ {2}x {3}endpoint old: the private key ${server.keys.locked} asks for a passphrase \\(SX224\\)`,
      ),
    )
    expect(endpoints).not.toContain('source')
    expect(exitCode).toBe(1)
  })

  test('does not know our key', async () => {
    const { endpoints, exitCode } = await seen({ key: server.keys.stranger })
    expect(endpoints).toContain('the server does not accept the key (SX223)')
    expect(exitCode).toBe(1)
  })

  test('is not known, or shows another key than the known one', async () => {
    const { endpoints } = await seen({ knownHosts: server.knownHosts.missing })
    expect(endpoints).toContain(
      `  x   endpoint old (127.0.0.1 port ${server.port}): the host key of the server is not known (SX221)
      ${server.knownHosts.missing} has no line for [127.0.0.1]:${server.port}.
      → Compare its fingerprint`,
    )
    const wrong = await seen({ knownHosts: server.knownHosts.wrong })
    expect(wrong.endpoints).toContain('the server shows another host key than the one that is known (SX222)')
    expect([wrong.exitCode]).toEqual([1])
  })

  test('has a key file that others can read, which ssh refuses', async () => {
    await chmod(server.keys.good, 0o644)
    const { endpoints } = await seen()
    await chmod(server.keys.good, 0o600)
    expect(endpoints).toContain(
      `  x   endpoint old: others may read the private key ${server.keys.good}, so that ssh does not take it (SX223)`,
    )
    expect(endpoints).toContain(`→ Keep it to yourself: \`chmod 600 ${server.keys.good}\`.`)
  })

  test('is written to: asked there, without writing', async () => {
    const from = join(temp.path, 'there')
    const up = await look(temp, endpoint(), { from, to: `old:${temp.path}/new/deep` })
    expect(up.endpoints).toContain(`  ok  source ${from}: a directory`)
    expect(up.destinations).toContain(
      `  ok  destination old:${temp.path}/new/deep: may be made in ${temp.path}, `,
    )
    await writeFile(join(temp.path, 'file'), '')
    const blocked = await look(temp, endpoint(), { from, to: `old:${temp.path}/file` })
    expect(blocked.destinations).toContain(`the destination old:${temp.path}/file is not a directory (SX301)`)
    expect(blocked.exitCode).toBe(1)
  })

  test('that lacks the source is said so', async () => {
    const { endpoints } = await look(temp, endpoint(), { from: 'old:/no/such', to: `${temp.path}/to` })
    expect(endpoints).toContain('  x   the source old:/no/such does not exist (SX201)')
  })

  test('that is down or hangs ends in a line, not in waiting', async () => {
    await server.freeze()
    await writePlan(temp.path, {
      endpoints: { old: endpoint() },
      transfers: { data: { from: 'old:/tmp', to: `${temp.path}/to` } },
    })
    const { stdout, exitCode } = await doctor(temp.path, environment(temp), 'plan.yaml', '--timeout', '4')
    await server.thaw()
    expect(section(stdout, 'Endpoints')).toContain('  ?   source old:/tmp gave no answer within 4 s (SX701)')
    expect(exitCode).toBe(0)
    await server.stop()
    const { endpoints } = await seen()
    await server.start()
    expect(endpoints).toContain('the server can not be reached (SX225)')
  })
})

describe.skipIf(!s3Available())('a bucket', () => {
  let server: S3Server
  let temp: TempFolder
  beforeAll(async () => {
    server = await startS3Server()
    temp = await openTemp()
    await server.makeBucket('data')
    await server.putObject('data', 'set/one', 'one')
  })
  afterAll(async () => {
    await temp[Symbol.asyncDispose]()
    await server.close()
  })

  const seen = (more: Readonly<Record<string, unknown>> = {}, env?: NodeJS.ProcessEnv): Promise<Seen> =>
    look(
      temp,
      {
        type: 's3',
        bucket: 'data',
        endpoint: server.endpoint,
        region: 'us-east-1',
        provider: 'Ceph',
        profile: 'store',
        credentials: server.credentials,
        ...more,
      },
      { from: 'old:set', to: `${temp.path}/to` },
      environment(temp, { AWS_EC2_METADATA_DISABLED: 'true', NO_PROXY: '127.0.0.1', ...env }),
    )

  test('that opens is green', async () => {
    const { endpoints, exitCode } = await seen()
    expect(endpoints).toBe(
      `  ok  endpoint old: profile store in ${server.credentials}
  ok  source old:set: a directory`,
    )
    expect(exitCode).toBe(0)
  })

  test('of another name is not there', async () => {
    const { endpoints, exitCode } = await seen({ bucket: 'date' })
    expect(endpoints).toContain(`  x   endpoint old: there is no bucket date at ${server.endpoint} (SX236)`)
    expect(exitCode).toBe(1)
  })

  test('without such a profile, or with a wrong secret, which is not printed', async () => {
    const { endpoints } = await seen({ profile: 'nobody' })
    expect(endpoints).toContain(
      `  x   endpoint old: ${server.credentials} has no keys for the profile nobody (SX705)`,
    )
    const wrong = await seen({ profile: 'wrong' })
    expect(wrong.endpoints).toContain(
      "the secret of the profile 'wrong' does not belong to its key id (SX233)",
    )
    expect(wrong.endpoints).not.toContain('wrong-secret')
    expect(wrong.exitCode).toBe(1)
  })

  test('whose keys stand in the shell only', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'store-access', AWS_SECRET_ACCESS_KEY: 'store-secret' }
    await writePlan(temp.path, {
      endpoints: { old: { type: 's3', bucket: 'data', endpoint: server.endpoint } },
      transfers: { data: { from: 'old:set', to: `${temp.path}/to` } },
    })
    const { stdout, exitCode } = await doctor(temp.path, environment(temp, keys), 'plan.yaml')
    expect(section(stdout, 'Endpoints')).toContain(
      '  x   endpoint old: its keys stand in the variables of this shell only (SX707)',
    )
    expect(stdout).not.toContain('store-secret')
    expect(exitCode).toBe(1)
  })

  test('of a service that is down', async () => {
    await server.stop()
    const { endpoints, exitCode } = await seen()
    await server.start()
    expect(endpoints).toContain(`  x   endpoint old: ${server.endpoint} can not be reached (SX237)`)
    expect(exitCode).toBe(1)
  })

  test('through a remote of rclone.conf: there, private, and by that name', async () => {
    const transfer = { from: 'old:data/set', to: `${temp.path}/to` }
    const env = environment(temp, { NO_PROXY: '127.0.0.1' })
    const remote = { type: 'rclone', config: server.rcloneConf, remote: 'store' }
    const there = await look(temp, remote, transfer, env)
    expect(there.endpoints).toBe(
      `  ok  endpoint old: remote store in ${server.rcloneConf}
  ok  source old:data/set: a directory`,
    )
    await chmod(server.rcloneConf, 0o644)
    const open = await look(temp, remote, transfer, env)
    await chmod(server.rcloneConf, 0o600)
    expect(open.endpoints).toContain(`  !   ${server.rcloneConf} is open to others (mode 644) (SX706)`)
    const other = await look(temp, { ...remote, remote: 'stone' }, transfer, env)
    expect(other.endpoints).toContain(`  x   endpoint old: ${server.rcloneConf} has no remote stone (SX705)`)
    expect(other.endpoints).toContain('there are: store, reader, stranger, wrong.')
    const none = await look(temp, { type: 'rclone' }, transfer, env)
    expect(none.endpoints).toContain(
      `  x   endpoint old: rclone.conf ${temp.path}/.config/rclone/rclone.conf is not there (SX705)`,
    )
  })
})
