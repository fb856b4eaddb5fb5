import { chmod, copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settleKey } from '../../src/edge/ssh-key.ts'
import { survey } from '../../src/edge/survey.ts'
import type { SshServer } from '../../src/plan/plan.ts'
import { transferName } from '../../src/units.ts'
import { sshAvailable } from '../lab/available.ts'
import { freePorts } from '../lab/ports.ts'
import { startProxy } from '../lab/proxy.ts'
import { startSshServer, type SshServer as LabServer } from '../lab/ssh.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'
import { plainTransfer } from '../rig/transfer.ts'
import { onServer } from './survey-servers.ts'

interface Trouble {
  /** Laid over what it takes to log in. */
  readonly change?: Partial<SshServer>
  readonly env?: NodeJS.ProcessEnv
  readonly server?: LabServer
}

describe.skipIf(!sshAvailable())('a server that can not be spoken to', { timeout: 240_000 }, () => {
  let lab: LabServer

  beforeAll(async () => {
    lab = await startSshServer()
  })
  afterAll(async () => {
    await lab.close()
  })

  /** Everything a user gets to read: `CODE what`, why and what to do, a line each. */
  async function told({ change, env = process.env, server = lab }: Trouble): Promise<string> {
    await using temp = await tempFolder()
    const result = await survey({
      transfer: plainTransfer({
        name: transferName('data'),
        from: onServer(server, temp.path, change),
        to: { kind: 'local', path: join(temp.path, 'to') },
      }),
      manifestPath: join(temp.path, 'data.gz'),
      proveAll: false,
      rclonePath: 'rclone',
      signal: new AbortController().signal,
      env: env as Record<string, string>,
    })
    if (result.ok) return 'no trouble'
    return result.error
      .flatMap(({ code, what, why, todo }) => [`${code} ${what}`, ...(why === undefined ? [] : [why]), todo])
      .join('\n')
      .replaceAll(server.folder, '…')
      .replaceAll(String(server.port), 'PORT')
  }

  test('an unknown host key: the command that would take it, once it was compared', async () => {
    expect(await told({ change: { knownHosts: lab.knownHosts.missing } })).toBe(
      [
        'SX221 endpoint old (127.0.0.1 port PORT): the host key of the server is not known',
        'ssh said: Host key verification failed.',
        'Compare its fingerprint with what whoever runs it says, then: `ssh-keyscan -p PORT 127.0.0.1 >>…/known_hosts.missing`.',
      ].join('\n'),
    )
    expect(await told({ change: { knownHosts: join(lab.folder, 'nowhere') } })).toMatch(/^SX221 /)
  })

  test('a changed host key: nothing is to be done before somebody has asked', async () => {
    expect(await told({ change: { knownHosts: lab.knownHosts.wrong } })).toBe(
      [
        'SX222 endpoint old (127.0.0.1 port PORT): the server shows another host key than the one that is known',
        'Somebody may stand between this machine and the server.',
        "Ask whoever runs the server whether its key was changed. Only if it was: `ssh-keygen -R '[127.0.0.1]:PORT' -f …/known_hosts.wrong`, then take the new one.",
      ].join('\n'),
    )
  })

  test('a key that the server does not take, one with a passphrase, one that is no key, and none', async () => {
    expect(await told({ change: { key: lab.keys.stranger } })).toBe(
      [
        'SX223 endpoint old (127.0.0.1 port PORT): the server does not accept the key',
        `ssh said: ${lab.user}@127.0.0.1: Permission denied (publickey).`,
        `Add …/stranger.pub to ~/.ssh/authorized_keys there, or correct \`user\` (${lab.user}) and \`key\` in the plan.`,
      ].join('\n'),
    )
    expect(await told({ change: { key: lab.keys.locked } })).toBe(
      [
        'SX224 endpoint old: the private key …/locked asks for a passphrase',
        'A job has nobody to type it, and no agent.',
        "Make a key of its own for transfers, `ssh-keygen -t ed25519 -N '' -f ~/.ssh/soxplan`, or take the passphrase off: `ssh-keygen -p -N '' -f …/locked`.",
      ].join('\n'),
    )
    expect(await told({ change: { key: `${lab.keys.good}.pub` } })).toBe(
      [
        'SX223 endpoint old: …/good.pub is no private key',
        'Name the private key itself in the plan: the file without .pub.',
      ].join('\n'),
    )
    expect(await told({ change: { key: join(lab.folder, 'none') } })).toBe(
      [
        'SX223 endpoint old: the private key …/none can not be read',
        'Correct `key` in the plan, or give yourself read access to the file.',
      ].join('\n'),
    )
  })

  test('a key that others may read is one that ssh does not take', async () => {
    await using temp = await tempFolder()
    const key = join(temp.path, 'open')
    await copyFile(lab.keys.good, key)
    await chmod(key, 0o644)
    expect((await told({ change: { key } })).replaceAll(temp.path, '…')).toBe(
      [
        'SX223 endpoint old: others may read the private key …/open, so that ssh does not take it',
        'Keep it to yourself: `chmod 600 …/open`.',
      ].join('\n'),
    )
  })

  test('without a key in the plan, the first of the usual ones is taken', async () => {
    await using home = await tempFolder()
    const { key, ...server } = onServer(lab, '/').server
    const env = { PATH: process.env['PATH'] ?? '', HOME: home.path }
    const asked = async (): Promise<string> => {
      await using temp = await tempFolder()
      const settled = await settleKey({ kind: 'ssh', endpoint: 'old', server, path: temp.path }, env)
      return settled.ok ? (settled.value.server.key ?? '') : settled.error.map(({ what }) => what).join()
    }
    expect(await asked()).toBe('endpoint old: there is no private key to log in to 127.0.0.1 with')
    await mkdir(join(home.path, '.ssh'))
    await copyFile(key ?? '', join(home.path, '.ssh/id_rsa'))
    expect(await asked()).toBe(join(home.path, '.ssh/id_rsa'))
  })

  test('nobody who listens, a name that does not exist, and a server that hangs up', async () => {
    const [port = 0] = await freePorts(1)
    expect((await told({ change: { port } })).replaceAll(String(port), 'PORT')).toBe(
      [
        'SX225 endpoint old (127.0.0.1 port PORT): the server can not be reached',
        'ssh said: ssh: connect to host 127.0.0.1 port PORT: Connection refused',
        'See that 127.0.0.1 port PORT is right and up, and that this machine and the nodes may connect to it; names of ~/.ssh/config do not count.',
      ].join('\n'),
    )
    expect(await told({ change: { host: 'nowhere.invalid' } })).toMatch(
      /^SX225 endpoint old \(nowhere\.invalid port PORT\): the server can not be reached\nssh said: .*Could not resolve hostname/,
    )
    await using proxy = await startProxy(lab.port)
    proxy.cutAfter(500)
    const knownHosts = await lab.knownHostsAt(proxy.port)
    expect(await told({ change: { port: proxy.port, knownHosts } })).toMatch(
      /^SX225 .* can not be reached\nSee that /,
    )
  })

  test('a login shell that talks', async () => {
    await using temp = await tempFolder()
    await puppet(temp.path, 'env', 'echo "Welcome to the cluster"; exec /usr/bin/env "$@"')
    const path = `${temp.path}:${process.env['PATH'] ?? ''}`
    await using server = await startSshServer({ environment: { PATH: path } })
    expect(await told({ server })).toBe(
      [
        'SX226 endpoint old: the login shell of 127.0.0.1 prints text of its own',
        'It begins with: Welcome to the cluster',
        'Let ~/.bashrc and the like there print nothing unless the shell is interactive: `[[ $- == *i* ]] || return`.',
      ].join('\n'),
    )
  })

  test('no ssh on this machine', async () => {
    await using temp = await tempFolder()
    expect(await told({ env: { HOME: temp.path, PATH: temp.path } })).toBe(
      ['SX227 there is no ssh on PATH', 'Install it (`apt install openssh-client`).'].join('\n'),
    )
  })
})
