/** What ssh says when it does not get through, in words that say what to do. */

import { failWith, type Diagnostic } from '../diagnostic.ts'
import type { SshLocation } from '../plan/plan.ts'

interface Trouble {
  readonly pattern: RegExp
  readonly code: string
  readonly what: string
  readonly todo: (location: SshLocation) => string
  readonly why?: string
}

const at = ({ server }: SshLocation): string => `${server.host} port ${server.port}`

const unknownKey: Trouble = {
  pattern: /host key verification failed|host key is known|no such (?:identity )?known.hosts/i,
  code: 'SX221',
  what: 'the host key of the server is not known',
  todo: ({ server }) =>
    `Compare its fingerprint with what whoever runs it says, then: \`ssh-keyscan -p ${server.port} ${server.host} >>${server.knownHosts}\`.`,
}

const troubles: readonly Trouble[] = [
  {
    pattern: /host identification has changed|host key for .* has changed/i,
    code: 'SX222',
    what: 'the server shows another host key than the one that is known',
    todo: ({ server }) =>
      `Ask whoever runs the server whether its key was changed. Only if it was: \`ssh-keygen -R '[${server.host}]:${server.port}' -f ${server.knownHosts}\`, then take the new one.`,
    why: 'Somebody may stand between this machine and the server.',
  },
  unknownKey,
  {
    pattern: /permission denied|too many authentication failures/i,
    code: 'SX223',
    what: 'the server does not accept the key',
    todo: ({ server }) =>
      `Add ${server.key ?? 'the key'}.pub to ~/.ssh/authorized_keys there, or correct \`user\` (${server.user ?? 'not set'}) and \`key\` in the plan.`,
  },
  {
    // A connection that ends while it is made ends without a word.
    pattern:
      /^\s*$|could not resolve|connection refused|timed out|no route to host|network is unreachable|connection (?:closed|reset)|kex_exchange_identification|not responding/i,
    code: 'SX225',
    what: 'the server can not be reached',
    todo: (location) =>
      `See that ${at(location)} is right and up, and that this machine and the nodes may connect to it; names of ~/.ssh/config do not count.`,
  },
]

/** What ssh would say of a server that known_hosts does not know, before it is asked. */
export function unknownHost(location: SshLocation): Diagnostic {
  const { code, what, todo } = unknownKey
  return {
    code,
    severity: 'error',
    what: `endpoint ${location.endpoint} (${at(location)}): ${what}`,
    todo: todo(location),
  }
}

/** The failure of ssh itself, as against that of a command there. `stderr` is what it said. */
export function sshFailure(location: SshLocation, stderr: string): ReturnType<typeof failWith> {
  const said = stderr.trim().split('\n').at(-1)?.trim() ?? ''
  const found = troubles.find(({ pattern }) => pattern.test(stderr))
  if (found === undefined)
    return failWith(
      'SX225',
      `endpoint ${location.endpoint}: ssh to ${at(location)} failed${said === '' ? '' : `: ${said}`}`,
      `Try by hand: \`ssh -p ${location.server.port} ${location.server.host}\`.`,
    )
  return failWith(
    found.code,
    `endpoint ${location.endpoint} (${at(location)}): ${found.what}`,
    found.todo(location),
    found.why ?? (said === '' ? undefined : `ssh said: ${said}`),
  )
}
