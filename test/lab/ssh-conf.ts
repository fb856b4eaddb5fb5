/** The keys and configuration files of a lab's sshd. */

import { readFile } from 'node:fs/promises'
import { SEARCH_PATH } from './available.ts'
import { run } from './command.ts'

export interface SshOptions {
  /** Whether commands run there. Without: SFTP only, as at a storage provider. Default: yes. */
  readonly shell?: boolean
  /** For the commands that run there, such as a PATH, or a HOME with a noisy .bashrc. Default: an empty HOME. */
  readonly environment?: Readonly<Record<string, string>>
  /** Settings of sshd_config to replace or to add, such as `{ MaxStartups: '2:100:2', MaxSessions: '1' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** `sshd_config`. Nothing in it needs root, or a home folder with the modes that sshd wants to see. */
export function sshdConfig(folder: string, host: string, port: number, options: SshOptions): string {
  const { shell = true, environment = {}, settings = {} } = options
  // What a session runs is known by this variable when the lab ends, as the rest of the lab is.
  // Bash reads ~/.bashrc for every command that comes by ssh. What this machine's own one does takes a second, and
  // where it takes a lock, as pyenv's does, a session that a test kills leaves the next ones waiting for a minute each.
  const variables = Object.entries({ HOME: `${folder}/home`, ...environment, SOXPLAN_LAB: folder })
  const all: Record<string, string> = {
    ListenAddress: `${host}:${port}`,
    HostKey: `${folder}/host`,
    AuthorizedKeysFile: `${folder}/authorized_keys`,
    PidFile: 'none',
    // Where it can not read the passwords, sshd takes every account for locked, unless it leaves that to PAM.
    UsePAM: process.getuid?.() === 0 ? 'no' : 'yes',
    StrictModes: 'no',
    UseDNS: 'no',
    PermitRootLogin: 'prohibit-password',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    // The key exchange of today's default takes a quarter of a second of two processors, this one a hundredth.
    KexAlgorithms: 'curve25519-sha256',
    PrintMotd: 'no',
    PrintLastLog: 'no',
    LogLevel: 'VERBOSE',
    Subsystem: 'sftp internal-sftp',
    SetEnv: variables.map(([name, value]) => `"${name}=${value}"`).join(' '),
    ...(shell ? {} : { ForceCommand: 'internal-sftp' }),
    ...settings,
  }
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('')
}

/** Writes the pair `path` and `path`.pub. */
export async function makeKey(path: string, passphrase: string): Promise<void> {
  const args = ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'soxplan-lab', '-f', path]
  const { exitCode, stderr } = await run('ssh-keygen', args, { PATH: SEARCH_PATH })
  if (exitCode !== 0) throw new Error(`ssh-keygen: exit ${exitCode}\n${stderr}`)
}

/** A line of known_hosts; `publicKey` is a file. */
export async function knownHostsLine(host: string, port: number, publicKey: string): Promise<string> {
  const [type = '', key = ''] = (await readFile(publicKey, 'utf8')).split(' ')
  return `[${host}]:${port} ${type} ${key}\n`
}
