/** How a server is called over SSH: the same arguments for listing it, for looking at it and for rsync. */

import type { SshLocation, SshServer } from '../plan/plan.ts'

/** Seconds to wait for a connection, and between two signs of life; so many may stay away before it counts as cut. */
const CONNECT_SECONDS = 30
const ALIVE_SECONDS = 15
const ALIVE_COUNT = 8

/**
 * ssh and its options, without the host. Nothing of a user's or a machine's configuration counts, because rclone does
 * not read it and a node may have another; nobody is asked anything, and no agent helps, because a job has none.
 */
export function sshOptions(server: SshServer): readonly [program: string, ...options: string[]] {
  return ['ssh', ...common(server), ...login(server.user, server.port), ...proxy(server)]
}

/** As `sshOptions`, with the host behind: what comes next is the command there. */
export function sshCommand(server: SshServer): readonly [program: string, ...words: string[]] {
  const [program, ...options] = sshOptions(server)
  return [program, ...options, '--', server.host]
}

function common({ key, knownHosts }: SshServer): readonly string[] {
  const settings = [
    'BatchMode=yes',
    'IdentityAgent=none',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    // ssh takes several files here, apart by spaces, and puts something in the place of a percent sign.
    `UserKnownHostsFile="${withoutTokens(knownHosts)}"`,
    `ConnectTimeout=${CONNECT_SECONDS}`,
    `ServerAliveInterval=${ALIVE_SECONDS}`,
    `ServerAliveCountMax=${ALIVE_COUNT}`,
    'ControlPath=none',
    'ForwardAgent=no',
    'LogLevel=ERROR',
  ]
  return [
    '-F',
    '/dev/null',
    '-T',
    ...(key === undefined ? [] : ['-i', withoutTokens(key)]),
    ...settings.flatMap((setting) => ['-o', setting]),
  ]
}

function withoutTokens(path: string): string {
  return path.replaceAll('%', '%%')
}

function login(user: string | undefined, port: number | string | undefined): readonly string[] {
  return [...(user === undefined ? [] : ['-l', user]), ...(port === undefined ? [] : ['-p', String(port)])]
}

/**
 * The way over another server. `-J` would not hand these options on, so that it is another ssh. ssh gives this line to a
 * shell: no word of it holds anything but plain characters, which the plan's schema and rules see to.
 */
function proxy(server: SshServer): readonly string[] {
  if (server.jump === undefined) return []
  const [, user, host = '', port] = /^(?:(.*)@)?([^:]*)(?::(\d+))?$/.exec(server.jump) ?? []
  const words = ['ssh', ...common(server), ...login(user, port), '-W', '[%h]:%p', '--', host]
  return ['-o', `ProxyCommand=${words.join(' ')}`]
}

/** The path as a command there takes it: never empty, and never an option. */
export function sshPath({ path }: Pick<SshLocation, 'path'>): string {
  if (path === '') return '.'
  return path.startsWith('/') ? path : `./${path}`
}
