/** Plans between a folder of this machine and one on a server of the lab, which is the same disk. */

import { rcloneVersions } from '../lab/rclone.ts'
import type { SshServer } from '../lab/ssh.ts'
import { openCase, writePlan, type Case } from './case.ts'

export type Way = 'pull' | 'push'

export interface ServerPlan {
  readonly way: Way
  readonly transfer?: Readonly<Record<string, unknown>>
  /** Laid over the endpoint of the server. */
  readonly endpoint?: Readonly<Record<string, unknown>>
  /** Other fields of the plan. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** The endpoint `old` of a plan: the lab's server. */
export function endpointOf(server: SshServer): Readonly<Record<string, unknown>> {
  return {
    type: 'ssh',
    host: server.host,
    user: server.user,
    port: server.port,
    key: server.keys.good,
    knownHosts: server.knownHosts.right,
  }
}

/** Writes the plan of a case anew: one end of it lies on the server. */
export async function planOverSsh(at: Case, server: SshServer, plan: ServerPlan): Promise<void> {
  const { way, transfer, endpoint, more } = plan
  const [from, to] = way === 'pull' ? [`old:${at.from}`, at.to] : [at.from, `old:${at.to}`]
  await writePlan(at.path, {
    endpoints: { old: { ...endpointOf(server), ...endpoint } },
    transfers: { data: { from, to, ...transfer } },
    ...more,
  })
}

export async function openOverSsh(server: SshServer, plan: ServerPlan): Promise<Case> {
  const at = await openCase()
  await planOverSsh(at, server, plan)
  return at
}

/** What carries a transfer over SSH, as a plan asks for it. */
export interface Carrier {
  readonly title: string
  readonly tool: 'rsync' | 'rclone'
  readonly available: boolean
  readonly more: Readonly<Record<string, unknown>>
}

export function carriers(): readonly Carrier[] {
  const byRclone = rcloneVersions().map(({ name, program, available }) => ({
    title: `the ${name} rclone`,
    tool: 'rclone' as const,
    available,
    more: { tools: { rclone: { path: program } } },
  }))
  return [{ title: 'rsync', tool: 'rsync', available: true, more: {} }, ...byRclone]
}
