/** A real sshd on loopback that lets the current user in with keys made for it, for as long as a test needs it. */

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { SEARCH_PATH, whyNoSsh } from './available.ts'
import { run, waitUntil, type CommandResult } from './command.ts'
import { daemonOf, type Daemon } from './daemon.ts'
import { freePorts, openOnFreePorts } from './ports.ts'
import { processesLoggingTo } from './processes.ts'
import { Reaper } from './reaper.ts'
import { knownHostsLine, makeKey, sshdConfig, type SshOptions } from './ssh-conf.ts'

export interface SshKeys {
  /** Lets its holder in. */
  readonly good: string
  /** Nobody authorised it. */
  readonly stranger: string
  /** Is authorised, but asks for `PASSPHRASE`. */
  readonly locked: string
}

export interface KnownHosts {
  readonly right: string
  /** Has never heard of this server. */
  readonly missing: string
  /** Has the key of another server under this one's name. */
  readonly wrong: string
}

/** What sshd did since the start, or since `forget()`. */
export interface SshCounts {
  readonly connections: number
  /** Connections that came as far as a login. */
  readonly logins: number
  /** Connections that MaxStartups threw away. */
  readonly dropped: number
}

export const PASSPHRASE = 'open sesame'

const HOST = '127.0.0.1'

/** Returns when sshd takes connections. @throws Error when it can not come up. */
export async function startSshServer(options: SshOptions = {}): Promise<SshServer> {
  const reason = whyNoSsh()
  if (reason !== undefined) throw new Error(reason)
  return openOnFreePorts(
    () => layOut(options),
    (server) => server.start(),
  )
}

/** Starts the reaper and makes keys and configuration; no daemon yet. */
async function layOut(options: SshOptions): Promise<SshServer> {
  const reaper = await Reaper.start()
  const { folder } = reaper
  const [port = 0] = await freePorts(1)
  await Promise.all(['log', 'home'].map((name) => mkdir(join(folder, name))))
  // Run by root, sshd locks the half of it that talks to strangers into this folder, which the service makes at boot.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  await Promise.all(
    ['host', 'good', 'stranger', 'locked'].map((name) =>
      makeKey(join(folder, name), name === 'locked' ? PASSPHRASE : ''),
    ),
  )
  const authorised = await Promise.all(
    ['good', 'locked'].map((name) => readFile(join(folder, `${name}.pub`), 'utf8')),
  )
  await writeFile(join(folder, 'authorized_keys'), authorised.join(''), { mode: 0o600 })
  await writeFile(join(folder, 'sshd_config'), sshdConfig(folder, HOST, port, options))
  const server = new SshServer(reaper, port)
  await writeFile(server.knownHosts.missing, '')
  await writeFile(server.knownHosts.wrong, await knownHostsLine(HOST, port, join(folder, 'stranger.pub')))
  await server.knownHostsAt(port)
  return server
}

export class SshServer {
  readonly host = HOST
  readonly port: number
  /** Who logs in: the user that runs this process. */
  readonly user = userInfo().username
  /** Everything of the server is in here; gone after `close()`, but with SOXPLAN_LAB_KEEP=1. */
  readonly folder: string
  readonly keys: SshKeys
  readonly knownHosts: KnownHosts
  readonly #daemon: Daemon
  readonly #reaper: Reaper
  readonly #log: string
  #forgotten = 0

  constructor(reaper: Reaper, port: number) {
    const { folder } = reaper
    this.folder = folder
    this.port = port
    this.keys = {
      good: join(folder, 'good'),
      stranger: join(folder, 'stranger'),
      locked: join(folder, 'locked'),
    }
    this.knownHosts = {
      right: join(folder, `known_hosts.${port}`),
      missing: join(folder, 'known_hosts.missing'),
      wrong: join(folder, 'known_hosts.wrong'),
    }
    this.#reaper = reaper
    this.#log = join(folder, 'log', 'sshd.log')
    const args = ['-D', '-e', '-f', join(folder, 'sshd_config')]
    this.#daemon = daemonOf(folder, { PATH: SEARCH_PATH }, 'sshd', 'sshd', args, () => greets(port))
  }

  /** What ssh needs to log in without a question, and to take nothing from this machine's own configuration. */
  get clientOptions(): readonly string[] {
    const settings = [
      `UserKnownHostsFile=${this.knownHosts.right}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      'IdentitiesOnly=yes',
      'BatchMode=yes',
    ]
    const named = ['-F', 'none', '-i', this.keys.good, '-p', String(this.port), '-l', this.user]
    return [...named, ...settings.flatMap((setting) => ['-o', setting])]
  }

  /** Runs a command there; its failure is a value. */
  ssh(...command: readonly string[]): Promise<CommandResult> {
    const env = { PATH: SEARCH_PATH, LC_ALL: 'C' }
    return run('ssh', [...this.clientOptions, this.host, ...command], env, this.folder)
  }

  /** A known_hosts file for clients that reach this server through another port of loopback, such as a proxy's. */
  async knownHostsAt(port: number): Promise<string> {
    const path = join(this.folder, `known_hosts.${port}`)
    await writeFile(path, await knownHostsLine(HOST, port, join(this.folder, 'host.pub')))
    return path
  }

  /** An rclone.conf with this server as remote `name`. */
  async rcloneConf(name = 'old'): Promise<string> {
    const path = join(this.folder, `rclone.${name}.conf`)
    const lines = {
      type: 'sftp',
      host: this.host,
      port: this.port,
      user: this.user,
      key_file: this.keys.good,
      known_hosts_file: this.knownHosts.right,
    }
    const text = Object.entries(lines).map(([key, value]) => `${key} = ${value}\n`)
    await writeFile(path, `[${name}]\n${text.join('')}`)
    return path
  }

  /** Starts it where it is not running, on the same port, and waits until it greets. */
  async start(): Promise<void> {
    await this.#daemon.start()
    await this.forget()
  }

  /** Takes no more connections, as with a restart of the service; the sessions live on. */
  async stop(): Promise<void> {
    await this.#daemon.stop()
  }

  /** The server and all its sessions are gone at once, with the commands they ran: a machine without power. */
  async kill(): Promise<void> {
    await this.#daemon.kill()
    await this.dropSessions()
  }

  /** Ends the sessions and the commands they ran; new ones are welcome. */
  async dropSessions(): Promise<void> {
    const gone = async (): Promise<boolean> => (await this.#signalSessions('SIGKILL')) === 0
    await waitUntil('the sessions are gone', gone, 10_000, () => this.#daemon.logTail())
  }

  /** A machine that hangs: connections stay, new ones are taken by the kernel, nothing is answered. */
  async freeze(): Promise<void> {
    this.#daemon.freeze()
    await this.#signalSessions('SIGSTOP')
  }

  async thaw(): Promise<void> {
    await this.#signalSessions('SIGCONT')
    this.#daemon.thaw()
  }

  /** How many sessions are open, without those that have not logged in. */
  async sessions(): Promise<number> {
    const members = await processesLoggingTo(this.#log)
    const titles = await Promise.all(
      members.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    )
    return titles.filter((title) => /^sshd(-session)?: \S+@notty/.test(title)).length
  }

  /** What sshd logged since the start or since `forget()`, at its level VERBOSE. */
  async log(): Promise<string> {
    return (await readFile(this.#log)).subarray(this.#forgotten).toString()
  }

  async counts(): Promise<SshCounts> {
    const lines = (await this.log()).split('\n')
    const count = (start: RegExp): number => lines.filter((line) => start.test(line)).length
    return {
      connections: count(/^Connection from /),
      logins: count(/^Accepted publickey for /),
      dropped: count(/^drop connection #/),
    }
  }

  /** The most connections that were open at one time, by the order of the log's lines. */
  async mostAtOnce(): Promise<number> {
    const open = new Set<string>()
    let most = 0
    for (const line of (await this.log()).split('\n')) {
      const port = / port (\d+)/.exec(line)?.[1] ?? ''
      if (line.startsWith('Connection from ')) open.add(port)
      if (/^(Disconnected from|Received disconnect from|Connection (closed|reset) by) /.test(line))
        open.delete(port)
      most = Math.max(most, open.size)
    }
    return most
  }

  /** Lets `log()`, `counts()` and `mostAtOnce()` begin here. */
  async forget(): Promise<void> {
    this.#forgotten = (await stat(this.#log)).size
  }

  /** Ends every process of the server and removes its folder. May be called twice. */
  async close(): Promise<void> {
    await this.#reaper.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Gives the number of processes that were there. */
  async #signalSessions(signal: NodeJS.Signals): Promise<number> {
    const members = await processesLoggingTo(this.#log)
    const sessions = members.filter((pid) => pid !== this.#daemon.pid)
    for (const pid of sessions) {
      try {
        process.kill(pid, signal)
      } catch {
        // It ended by itself in the meantime.
      }
    }
    return sessions.length
  }
}

/**
 * Whether sshd says who it is. It logs a connection before it greets, so that what is counted after this
 * has no trace of it.
 */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('SSH-2.0'))
      socket.destroy()
    })
    socket.once('error', () => {
      resolve(false)
    })
    socket.once('close', () => {
      resolve(false)
    })
  })
}
