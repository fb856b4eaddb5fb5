/** Questions about what it takes to log in to a server, before anybody tries: the key, and the server's own. */

import { bad, good, trouble, type Finding } from '../diagnostic-finding.ts'
import type { SshLocation, SshServer } from '../plan/plan.ts'
import { millis } from '../units.ts'
import { askProbe, type ProbeContext } from './doctor-probe.ts'
import type { Check } from './doctor-run.ts'
import { run } from './process.ts'
import { settleKey } from './ssh-key.ts'
import { unknownHost } from './ssh-trouble.ts'

/** The signal of the check ends a call much earlier. */
const CALL_TIMEOUT = millis(600_000)
const SSH_PORT = 22
const GLOBAL_KNOWN_HOSTS = '/etc/ssh/ssh_known_hosts'

export function keyCheck(context: ProbeContext, location: SshLocation): Check {
  const subject = `endpoint ${location.endpoint}`
  return {
    topic: 'endpoints',
    subject,
    ifSilent: 'Look at the file system that the private key lies on.',
    ask: async (signal) => {
      const { key } = location.server
      // A file system that is dead answers this process, which can be ended, and nobody else.
      if (key !== undefined && (await askProbe(context, signal, 'file', key))?.get('is') === 'other')
        return [bad('error', 'SX223', `${subject}: ${key} is no file`, 'Correct `key` in the plan.')]
      const settled = await settleKey(location, context.env)
      return settled.ok
        ? [good(`${subject}: key ${settled.value.server.key ?? ''}, without a passphrase`)]
        : settled.error.map((diagnostic) => trouble(diagnostic))
    },
  }
}

export function knownHostCheck(context: ProbeContext, location: SshLocation): Check {
  return {
    topic: 'endpoints',
    subject: `endpoint ${location.endpoint}`,
    ifSilent: 'Look at the file system that known_hosts lies on.',
    ask: async (signal) => {
      const hosts = [hostEntry(location.server), ...jumpEntry(location.server)]
      return Promise.all(hosts.map((host) => judgeHost(context, location, host, signal)))
    },
  }
}

/** As known_hosts spells it: with a port only where it is another than ssh's own. */
function hostEntry({ host, port }: Pick<SshServer, 'host' | 'port'>): string {
  return port === SSH_PORT ? host : `[${host}]:${port}`
}

function jumpEntry({ jump }: SshServer): readonly string[] {
  const [, host, port] = /^(?:.*@)?([^:]*)(?::(\d+))?$/.exec(jump ?? '') ?? []
  return jump === undefined || host === undefined
    ? []
    : [hostEntry({ host, port: port === undefined ? SSH_PORT : Number(port) })]
}

async function judgeHost(
  { env }: ProbeContext,
  location: SshLocation,
  host: string,
  stop: AbortSignal,
): Promise<Finding> {
  const subject = `endpoint ${location.endpoint}`
  const isKnown = async (file: string): Promise<boolean> => {
    const limits = { timeoutMillis: CALL_TIMEOUT, env, stop, ownGroup: true }
    return (await run(['ssh-keygen', '-F', host, '-f', file], limits)).ok
  }
  const { knownHosts } = location.server
  if (await isKnown(knownHosts)) return good(`${subject}: ${host} in ${knownHosts}`)
  if (await isKnown(GLOBAL_KNOWN_HOSTS))
    return bad(
      'warning',
      'SX221',
      `${subject}: ${host} is in ${GLOBAL_KNOWN_HOSTS} only`,
      `Add it to ${knownHosts} too: rclone does not read the other one, and a node may have none.`,
    )
  return trouble({ ...unknownHost(location), why: `${knownHosts} has no line for ${host}.` })
}
