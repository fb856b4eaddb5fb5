/** The configuration files of a lab, as text. */

export const NODES = ['n1', 'n2', 'n3', 'n4'] as const
export type NodeName = (typeof NODES)[number]

export interface LabPorts {
  readonly ctld: number
  readonly nodes: Readonly<Record<NodeName, number>>
  readonly dbd: number
  readonly mariadb: number
}

export interface LabPlace {
  readonly folder: string
  /** The name of this machine up to the first dot, as slurmctld compares it. */
  readonly host: string
  /** Who runs the daemons. */
  readonly user: string
  readonly ports: LabPorts
}

/**
 * Times are short so that a fault shows in seconds, but SlurmdTimeout outlasts a restart of the controller. A dead
 * node is declared down 25 to 30 s after its death, because a ping to it takes MessageTimeout to fail; a test that
 * wants that sooner sets `{ SlurmdTimeout: '3', MessageTimeout: '2' }` (8 s).
 */
const SETTINGS: Readonly<Record<string, string>> = {
  AuthType: 'auth/none',
  CredType: 'cred/none',
  // A requeued job waits as long as its credential lives before it starts again: 120 s unless said otherwise.
  AuthInfo: 'cred_expire=5',
  CommunicationParameters: 'NoInAddrAny,NoCtldInAddrAny',
  ProctrackType: 'proctrack/linuxproc',
  SelectType: 'select/cons_tres',
  SelectTypeParameters: 'CR_CPU_Memory',
  SlurmdParameters: 'config_overrides',
  PropagateResourceLimits: 'NONE',
  ReturnToService: '2',
  JobRequeue: '1',
  MinJobAge: '15',
  MessageTimeout: '10',
  SlurmctldTimeout: '10',
  SlurmdTimeout: '12',
  KillWait: '5',
  SchedulerParameters: 'batch_sched_delay=0,sched_min_interval=0,bf_interval=1',
}

/** Three nodes of the size a GPU cluster has, and one of twice the size, where two jobs of 64 CPUs fit side by side. */
const SIZES: Readonly<Record<NodeName, { cpus: number; megabytes: number }>> = {
  n1: { cpus: 64, megabytes: 600_000 },
  n2: { cpus: 64, megabytes: 600_000 },
  n3: { cpus: 64, megabytes: 600_000 },
  n4: { cpus: 128, megabytes: 1_200_000 },
}

/** `slurm.conf`. `settings` replaces single settings by name, or adds to them. */
export function slurmConf(
  place: LabPlace,
  accounting: boolean,
  settings: Readonly<Record<string, string>>,
): string {
  const { folder, host, user, ports } = place
  const all: Record<string, string> = {
    ClusterName: 'lab',
    SlurmctldHost: `${host}(127.0.0.1)`,
    SlurmctldPort: String(ports.ctld),
    SlurmUser: user,
    SlurmdUser: user,
    StateSaveLocation: `${folder}/state`,
    SlurmdSpoolDir: `${folder}/spool/%n`,
    SlurmctldPidFile: `${folder}/slurmctld.pid`,
    SlurmdPidFile: `${folder}/slurmd.%n.pid`,
    AccountingStorageType: accounting ? 'accounting_storage/slurmdbd' : 'accounting_storage/none',
    ...(accounting ? { AccountingStorageHost: '127.0.0.1', AccountingStoragePort: String(ports.dbd) } : {}),
    ...SETTINGS,
    ...settings,
  }
  const nodes = NODES.map((name) => {
    const { cpus, megabytes } = SIZES[name]
    return `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports.nodes[name]} CPUs=${cpus} RealMemory=${megabytes}`
  })
  return [
    ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
    ...nodes,
    'PartitionName=main Nodes=n[1-4] Default=YES MaxTime=7-00:00:00 State=UP',
    'PartitionName=short Nodes=n[1-2] MaxTime=00:10:00 State=UP',
    '',
  ].join('\n')
}

/**
 * `cgroup.conf`. slurmd loads a cgroup plugin even when nothing uses one, and the one it would choose fails without
 * systemd or root. Slurm 23.02 and later can do without; before that the old plugin is the one that touches nothing.
 */
export function cgroupConf(slurmVersion: string): string {
  const [year = 0, month = 0] = (/\d+\.\d+/.exec(slurmVersion)?.[0] ?? '').split('.').map(Number)
  const canDoWithout = year > 23 || (year === 23 && month >= 2)
  return `CgroupPlugin=${canDoWithout ? 'disabled' : 'cgroup/v1'}\n`
}

/** `slurmdbd.conf`; slurmdbd insists on mode 0600. */
export function slurmdbdConf({ folder, user, ports }: LabPlace): string {
  return [
    'AuthType=auth/none',
    'CommunicationParameters=NoInAddrAny',
    'DbdHost=localhost',
    'DbdAddr=127.0.0.1',
    `DbdPort=${ports.dbd}`,
    `SlurmUser=${user}`,
    'StorageType=accounting_storage/mysql',
    'StorageHost=127.0.0.1',
    `StoragePort=${ports.mariadb}`,
    'StorageUser=slurm',
    'StorageLoc=slurm_acct_db',
    `PidFile=${folder}/slurmdbd.pid`,
    '',
  ].join('\n')
}
