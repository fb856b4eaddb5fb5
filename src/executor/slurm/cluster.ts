/** What a cluster says of itself: its version and limits, its partitions and their nodes. */

import { fail, ok, type Result } from '../../diagnostic.ts'
import type { Call } from './queue.ts'
import { refusal } from './refusal.ts'

export interface Cluster {
  /** `22.05.8` */
  readonly version: string
  readonly name: string
  /** Indexes of an array stay below this. */
  readonly arrayMax: number
  readonly hasAccounting: boolean
  /** Those that this user may see, in Slurm's order. */
  readonly partitions: readonly Partition[]
}

export interface Partition {
  readonly name: string
  readonly isDefault: boolean
  /** `UP`, `DOWN`, `DRAIN` or `INACTIVE`. */
  readonly state: string
  /** As Slurm writes it: `7-00:00:00` or `UNLIMITED`. */
  readonly timeMax: string
  readonly nodes: readonly ClusterNode[]
}

export interface ClusterNode {
  readonly name: string
  /** As `sinfo` prints it, with the sign behind: `idle`, `down*`. */
  readonly state: string
  readonly cpus: number
  readonly memoryBytes: number
  /** What a `constraint` may ask for. */
  readonly features: readonly string[]
  readonly hasGpus: boolean
}

const MEBIBYTE = 2 ** 20
/** Slurm's own, where a configuration names none. */
const DEFAULT_ARRAY_MAX = 1001

/** Three short commands. Fails with the code of the first that is refused. */
export async function lookAtCluster(call: Call, stop: AbortSignal): Promise<Result<Cluster>> {
  const argvs = [
    ['scontrol', 'show', 'config'],
    ['scontrol', '--all', '--oneliner', 'show', 'partition'],
    ['sinfo', '--all', '--noheader', '--Node', '--format=%R|%N|%T|%c|%m|%f|%G'],
  ] as const
  const texts: string[] = []
  for (const argv of argvs) {
    const answer = await call(argv, stop)
    if (!answer.ok) return fail([refusal(argv[0], answer.error)])
    texts.push(answer.value.stdout)
  }
  const [config = '', partitions = '', nodes = ''] = texts
  return ok({
    ...parseConfig(config),
    partitions: parsePartitions(partitions, parseNodes(nodes)),
  })
}

/** Lines of `scontrol show config`: `MaxArraySize            = 1001`. */
export function parseConfig(text: string): Omit<Cluster, 'partitions'> {
  const values = new Map(
    [...text.matchAll(/^(\w+) *= (.*)$/gm)].map(([, name = '', value = '']) => [name, value.trim()]),
  )
  const storage = values.get('AccountingStorageType') ?? ''
  const arrayMax = Number(values.get('MaxArraySize'))
  return {
    version: values.get('SLURM_VERSION') ?? 'of an unknown version',
    name: values.get('ClusterName') ?? '',
    arrayMax: Number.isSafeInteger(arrayMax) && arrayMax > 0 ? arrayMax : DEFAULT_ARRAY_MAX,
    // Without any, Slurm says accounting_storage/none up to 23.02 and (null) or nothing later.
    hasAccounting: /slurmdbd|mysql/.test(storage),
  }
}

/** Rows of `sinfo --Node`, by partition. A node stands in the rows of each of its partitions. */
export function parseNodes(text: string): ReadonlyMap<string, readonly ClusterNode[]> {
  const nodes = new Map<string, ClusterNode[]>()
  for (const line of text.split('\n')) {
    const [partition = '', name, state = '', cpus, megabytes, features = '', gres = ''] = line
      .trim()
      .split('|')
    if (name === undefined) continue
    const node = {
      name,
      state,
      cpus: parseInt(cpus ?? ''),
      memoryBytes: parseInt(megabytes ?? '') * MEBIBYTE,
      features: features.split(','),
      hasGpus: /(^|,)gpu\b/.test(gres),
    }
    const row = nodes.get(partition)
    if (row === undefined) nodes.set(partition, [node])
    else row.push(node)
  }
  return nodes
}

/** Lines of `scontrol --oneliner show partition`. */
export function parsePartitions(
  text: string,
  nodes: ReadonlyMap<string, readonly ClusterNode[]>,
): readonly Partition[] {
  return text.split('\n').flatMap((line) => {
    const values = new Map(
      [...line.matchAll(/(\w+)=(\S*)/g)].map(([, name = '', value = '']) => [name, value]),
    )
    const name = values.get('PartitionName')
    if (name === undefined) return []
    return {
      name,
      isDefault: values.get('Default') === 'YES',
      state: values.get('State') ?? '',
      timeMax: values.get('MaxTime') ?? 'UNLIMITED',
      nodes: nodes.get(name) ?? [],
    }
  })
}

/** Words of a state in which a node takes jobs, now or when others have ended. */
const takesJobs = /^(idle|mixed|allocated|completing|planned)$/

/** A sign behind a state says that the node does not answer (`*`), is off (`~ %`) or is to start anew (`@ ! #` …). */
export function isNodeUp({ state }: ClusterNode): boolean {
  return takesJobs.test(state)
}

/** False only where a plain `constraint` asks for what the node has not: `a`, `a&b`. Others are for Slurm to read. */
export function meetsConstraint({ features }: ClusterNode, constraint: string | undefined): boolean {
  if (constraint === undefined || !/^[\w.-]+(&[\w.-]+)*$/.test(constraint)) return true
  return constraint.split('&').every((feature) => features.includes(feature))
}

/** Seconds of a limit as Slurm writes it: `MM:SS`, `HH:MM:SS`, `D-HH:MM:SS`; endless for `UNLIMITED`. */
export function limitSeconds(text: string): number {
  const [, days, rest] = /^(?:(\d+)-)?(\d+(?::\d+)*)$/.exec(text) ?? []
  if (rest === undefined) return Infinity
  const clock = rest.split(':').reduce((total, part) => total * 60 + Number(part), 0)
  return Number(days ?? 0) * 86_400 + clock
}

/** What `memory` of a plan means: megabytes unless it says otherwise. Undefined for what is no number. */
export function memoryBytes(text: string): number | undefined {
  const [, amount, unit = 'M'] = /^(\d+)([KMGT]?)B?$/i.exec(text) ?? []
  if (amount === undefined) return undefined
  const power = 'KMGT'.indexOf(unit === '' ? 'M' : unit.toUpperCase()) + 1
  return Number(amount) * 1024 ** power
}
