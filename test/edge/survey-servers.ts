/** Places on a server of the lab, as a plan describes them. */

import { join } from 'node:path'
import type { SshLocation, SshServer } from '../../src/plan/plan.ts'
import type { SshServer as LabServer } from '../lab/ssh.ts'

/** A place on the lab's server; `change` is laid over what it takes to log in there. */
export function onServer(lab: LabServer, path: string, change: Partial<SshServer> = {}): SshLocation {
  const server = {
    host: lab.host,
    user: lab.user,
    port: lab.port,
    key: lab.keys.good,
    knownHosts: lab.knownHosts.right,
    maxConnections: 8,
    ...change,
  }
  return { kind: 'ssh', endpoint: 'old', server, path }
}

/** Names of a test's folder as places on the lab's server. */
export function serverIn(lab: LabServer, folder: string): (name: string) => SshLocation {
  return (name) => onServer(lab, join(folder, name))
}
