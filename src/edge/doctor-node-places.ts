/** What a node has to see and to reach of a plan's places. */

import path from 'node:path'
import { bad, good, type Finding } from '../diagnostic-finding.ts'
import type { Location, S3Location, SshServer, Transfer } from '../plan/plan.ts'
import { configFileOf, credentialsFileOf, type ConfigContext } from './doctor-config.ts'
import { judgeDestination } from './doctor-folder.ts'
import type { NodeAsk } from './doctor-node.ts'
import { askProbeWithin, type Facts } from './doctor-probe.ts'
import { settleKey } from './ssh-key.ts'

type Remote = Exclude<Location, { kind: 'local' }>

const lookThere = 'Look at the file system that it lies on, on that node.'

/** Sources, destinations, files of keys, and servers; each once. */
export async function placeAsks(
  context: ConfigContext,
  transfers: readonly Transfer[],
  signal: AbortSignal,
): Promise<readonly NodeAsk[]> {
  const sources = transfers.flatMap(({ from, fixup }) => [
    from,
    ...(fixup?.from === undefined ? [] : [fixup.from]),
  ])
  const remotes = new Map(
    [...sources, ...transfers.map(({ to }) => to)].flatMap((end) =>
      end.kind === 'local' ? [] : [[end.endpoint, end] as const],
    ),
  )
  const all = await Promise.all([
    ...locals(sources).map((from) => fileAsk(context, `source ${from}`, from, signal)),
    ...locals(transfers.map(({ to }) => to)).map((to) => destinationAsk(context, to, signal)),
    ...[...remotes.values()].map((end) => endpointAsks(context, end, signal)),
  ])
  return all.flat()
}

function locals(ends: readonly Location[]): readonly string[] {
  return [...new Set(ends.flatMap((end) => (end.kind === 'local' ? [end.path] : [])))]
}

/** Something that can be read here, and has to be there too. */
async function fileAsk(
  context: ConfigContext,
  subject: string,
  file: string,
  signal: AbortSignal,
): Promise<readonly NodeAsk[]> {
  const here = await askProbeWithin(context, signal, 'file', file)
  if (here?.has('readable') !== true) return []
  const name = subject.includes(file) ? subject : `${subject} ${file}`
  return [
    {
      subject,
      question: { probe: 'file', args: [file] },
      ifSilent: lookThere,
      judge: (facts, node) =>
        facts.has('readable') ? [good(`${name}: can be read`)] : [missingThere(name, node, facts)],
    },
  ]
}

function missingThere(name: string, node: string, facts: Facts): Finding {
  const state = facts.get('is') === 'file' || facts.get('is') === 'other' ? 'can not be read' : 'is not there'
  return bad(
    'error',
    'SX714',
    `${name} ${state} on ${node}`,
    `Keep it on a file system that all nodes see, or leave the node out with \`slurm: exclude\`.`,
    'On this machine it can be read.',
  )
}

async function destinationAsk(
  context: ConfigContext,
  folder: string,
  signal: AbortSignal,
): Promise<readonly NodeAsk[]> {
  const here = await askProbeWithin(context, signal, 'folder', folder)
  if (here?.has('writable') !== true) return []
  const place = `destination ${folder}`
  return [
    {
      subject: place,
      question: { probe: 'folder', args: [folder] },
      ifSilent: lookThere,
      judge(facts, node) {
        const upHere = Number(here.get('up') ?? 0)
        if (Number(facts.get('up') ?? 0) <= upHere)
          return judgeDestination(folder, folder, facts, context.bytesText)
        const nearest = Array.from({ length: upHere }).reduce<string>((at) => path.dirname(at), folder)
        const why = `${nearest} is there on this machine, and not on ${node}: its files would land on a disk of the node.`
        const todo = `Mount its file system there, or leave the node out with \`slurm: exclude\`.`
        return [bad('error', 'SX714', `${place} is not there on ${node}`, todo, why)]
      },
    },
  ]
}

async function endpointAsks(
  context: ConfigContext,
  end: Remote,
  signal: AbortSignal,
): Promise<readonly NodeAsk[]> {
  const file = (what: string, at: string): Promise<readonly NodeAsk[]> =>
    fileAsk(context, `endpoint ${end.endpoint}: ${what}`, at, signal)
  switch (end.kind) {
    case 'ssh':
    case 'sftp': {
      const settled = await settleKey(end, context.env)
      const key = settled.ok ? settled.value.server.key : undefined
      return [
        ...(key === undefined ? [] : await file('the private key', key)),
        ...(await file('known_hosts', end.server.knownHosts)),
        reachAsk(end.endpoint, 'SX225', serverAddress(end.server)),
      ]
    }
    case 's3':
      return [
        ...(await file('the credentials file', credentialsFileOf(context, end))),
        ...serviceAddress(context, end).map((address) => reachAsk(end.endpoint, 'SX237', address)),
      ]
    case 'rclone': {
      const config = await configFileOf(context, end, signal)
      return config === undefined ? [] : file('rclone.conf', config)
    }
  }
}

interface Address {
  readonly host: string
  readonly port: number
}

const SSH_PORT = 22

/** The server itself, or the one on the way to it. */
function serverAddress({ host, port, jump }: SshServer): Address {
  if (jump === undefined) return { host, port }
  const [, jumpHost = '', jumpPort] = /^(?:.*@)?([^:]*)(?::(\d+))?$/.exec(jump) ?? []
  return { host: jumpHost, port: Number(jumpPort ?? SSH_PORT) }
}

/** None where a proxy stands between, or where the plan leaves the address to the tool. */
function serviceAddress({ environmentPass }: ConfigContext, { service }: S3Location): readonly Address[] {
  if (service === undefined || !URL.canParse(service)) return []
  if (environmentPass.some((name) => /^(https?|all)_proxy$/i.test(name))) return []
  const { hostname, port, protocol } = new URL(service)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return [{ host, port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port) }]
}

function reachAsk(endpoint: string, code: 'SX225' | 'SX237', { host, port }: Address): NodeAsk {
  const [subject, address] = [`endpoint ${endpoint}`, `${host}:${port}`]
  const todo = `Let the nodes connect to ${address}, write \`where: login\` at the transfer, or leave the node out with \`slurm: exclude\`.`
  return {
    subject,
    question: { probe: 'reach', args: [host, String(port)] },
    ifSilent: todo,
    judge: (facts, node) =>
      facts.has('reached')
        ? [good(`${subject}: ${address} can be reached`)]
        : [
            bad(
              'error',
              code,
              `${subject}: ${address} can not be reached from ${node}: ${facts.get('refused') ?? 'nobody knows why'}`,
              todo,
            ),
          ],
  }
}
