import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sshAvailable } from './lab/available.ts'
import { run, type CommandResult } from './lab/command.ts'
import { startOwner } from './lab/owner.ts'
import { processesOf } from './lab/processes.ts'
import { PASSPHRASE, startSshServer, type SshServer } from './lab/ssh.ts'
import { compareTrees } from './rig/compare.ts'
import { tempFolder } from './rig/folder.ts'
import { writeTree } from './rig/tree.ts'

/** ssh with some of the right options replaced: the last `-i` counts, but of `-o` the first. */
function sshWith(server: SshServer, key: string, knownHosts: string): Promise<CommandResult> {
  const options = server.clientOptions.map((option) =>
    option === server.keys.good
      ? key
      : option.startsWith('UserKnownHostsFile=')
        ? `UserKnownHostsFile=${knownHosts}`
        : option,
  )
  return run('ssh', [...options, server.host, 'true'], process.env)
}

/** A session that lasts until somebody ends it; resolves with its exit code when it has ended. */
async function longSession(server: SshServer): Promise<{ readonly ended: Promise<number | null> }> {
  const child = spawn('ssh', [...server.clientOptions, server.host, 'echo started; sleep 321'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  await once(child.stdout, 'data')
  return { ended }
}

describe.skipIf(!sshAvailable())('an sshd of the lab', () => {
  test('lets in who has the right key, and only if the server is known', async () => {
    await using server = await startSshServer()
    const { keys, knownHosts } = server
    expect(await server.ssh('id -un')).toMatchObject({
      exitCode: 0,
      stdout: `${server.user}\n`,
    })
    const stranger = await sshWith(server, keys.stranger, knownHosts.right)
    expect(stranger.exitCode).toBe(255)
    expect(stranger.stderr).toContain('Permission denied')
    const locked = await sshWith(server, keys.locked, knownHosts.right)
    expect(locked.exitCode).toBe(255)
    expect(locked.stderr).toContain('Permission denied')
    const missing = await sshWith(server, keys.good, knownHosts.missing)
    expect(missing.stderr).toContain('No ED25519 host key is known')
    const wrong = await sshWith(server, keys.good, knownHosts.wrong)
    expect(wrong.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
    expect(await server.counts()).toEqual({ connections: 5, logins: 1, dropped: 0 })
    const opened = await run('ssh-keygen', ['-y', '-P', PASSPHRASE, '-f', keys.locked], process.env)
    expect(opened.stdout).toBe(await readFile(`${keys.locked}.pub`, 'utf8'))
  })

  test('carries a tree by rsync and by rclone', async () => {
    await using server = await startSshServer()
    await using temp = await tempFolder()
    const from = join(temp.path, 'from')
    await writeTree(from, { 'a b': 'one', "it's": 'two', 'deep/er/c': Buffer.alloc(300_000, 7) })
    const shell = ['ssh', ...server.clientOptions].join(' ')
    const rsync = ['-a', '-e', shell, `${server.host}:${from}/`, `${temp.path}/by-rsync`]
    expect(await run('rsync', rsync, process.env)).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(from, join(temp.path, 'by-rsync'), { mtimes: true })).toEqual([])
    await server.forget()
    const conf = await server.rcloneConf('old')
    const rclone = ['--config', conf, 'copy', `old:${from}`, `${temp.path}/by-rclone`]
    expect(await run('rclone', rclone, process.env)).toMatchObject({ exitCode: 0 })
    expect(await compareTrees(from, join(temp.path, 'by-rclone'))).toEqual([])
    const { connections, logins } = await server.counts()
    expect(connections).toBeGreaterThan(0)
    expect(logins).toBe(connections)
  })

  test('is a server without a shell where asked', async () => {
    await using server = await startSshServer({ shell: false })
    await using temp = await tempFolder()
    await writeFile(join(temp.path, 'a'), 'content')
    const shell = await server.ssh('echo hello')
    expect(shell.stdout).not.toContain('hello')
    const list = ['--config', await server.rcloneConf('old'), 'lsf', `old:${temp.path}`]
    expect(await run('rclone', list, process.env)).toMatchObject({ exitCode: 0, stdout: 'a\n' })
  })

  test('gives what runs there the environment of the test', async () => {
    await using temp = await tempFolder()
    await writeFile(join(temp.path, '.bashrc'), 'echo Welcome to the cluster\n')
    await using server = await startSshServer({ environment: { HOME: temp.path, SITE: 'a b' } })
    const { stdout } = await server.ssh('bash -c ". ~/.bashrc"; echo "$SITE"')
    expect(stdout.split('\n').slice(-3)).toEqual(['Welcome to the cluster', 'a b', ''])
  })

  test('throws connections away and counts them', async () => {
    await using server = await startSshServer({ settings: { MaxStartups: '1:100:1', LoginGraceTime: '30' } })
    // A client that never says a word takes the only place.
    const silent = spawn(
      'bash',
      ['-c', `exec 3<>/dev/tcp/127.0.0.1/${server.port}; read -r <&3; echo in; sleep 60`],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    await once(silent.stdout, 'data')
    expect(await server.ssh('true')).toMatchObject({ exitCode: 255 })
    expect((await server.counts()).dropped).toBe(1)
    silent.kill('SIGKILL')
    await expect.poll(async () => (await server.ssh('true')).exitCode).toBe(0)
  })

  test('hangs, loses its sessions, restarts and dies', async () => {
    await using server = await startSshServer()
    const first = await longSession(server)
    expect(await server.sessions()).toBe(1)
    await server.freeze()
    const asked = await run(
      'timeout',
      ['1', 'ssh', ...server.clientOptions, server.host, 'true'],
      process.env,
    )
    expect(asked.exitCode).toBe(124)
    await server.thaw()
    expect(await server.ssh('echo back')).toMatchObject({ exitCode: 0, stdout: 'back\n' })
    await server.dropSessions()
    expect(await first.ended).toBe(255)
    const second = await longSession(server)
    await server.stop()
    expect(await server.ssh('true')).toMatchObject({ exitCode: 255 })
    expect(await server.sessions()).toBe(1)
    await server.start()
    expect(await server.ssh('true')).toMatchObject({ exitCode: 0 })
    await server.kill()
    expect(await second.ended).toBe(255)
    expect(await processesOf(server.folder)).toEqual([])
  })

  test('leaves neither process nor folder, whatever state it was in', async () => {
    const server = await startSshServer()
    const session = await longSession(server)
    await server.ssh('setsid -f sleep 322 >/dev/null 2>&1 </dev/null')
    await server.stop()
    await server.start()
    await server.freeze()
    expect((await processesOf(server.folder)).length).toBeGreaterThan(3)
    await server.close()
    expect(await session.ended).toBe(255)
    expect(await processesOf(server.folder)).toEqual([])
    expect(existsSync(server.folder)).toBe(false)
  })

  test('ends when the process that opened it is killed', async () => {
    const owner = await startOwner('ssh.ts', 'startSshServer')
    expect(await readdir(owner.folder)).toContain('sshd_config')
    expect(await processesOf(owner.folder)).not.toEqual([])
    await owner.kill()
    await expect.poll(() => existsSync(owner.folder), { timeout: 20_000 }).toBe(false)
    expect(await processesOf(owner.folder)).toEqual([])
  })
})
