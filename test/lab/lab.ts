/** A real Slurm on this machine, in a temp folder, on loopback and free ports, for as long as a test needs it. */

import { mkdir, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { whyNoLab, findProgram, SEARCH_PATH } from './available.ts'
import { run, waitUntil, type CommandResult } from './command.ts'
import { cgroupConf, NODES, slurmConf, slurmdbdConf, type LabPlace, type NodeName } from './conf.ts'
import type { Daemon } from './daemon.ts'
import { databaseDaemons, slurmDaemons, type LabDaemons } from './daemons.ts'
import { freePorts, openOnFreePorts } from './ports.ts'
import { Reaper } from './reaper.ts'
import { makeShim, type Shim, type ShimBehaviour } from './shim.ts'

export interface LabOptions {
  /** Start slurmdbd and a MariaDB of its own too, so that sacct answers. Default: no. */
  readonly accounting?: boolean
  /** Settings of slurm.conf to replace or to add, such as `{ MessageTimeout: '2' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

const BOOT_TIMEOUT_MILLIS = 30_000
const DEFAULT_WAIT_MILLIS = 30_000

/** Opens a lab and returns when its four nodes are idle. @throws Error when it can not come up. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const reason = whyNoLab(options)
  if (reason !== undefined) throw new Error(reason)
  return openOnFreePorts(
    () => layOut(options),
    (lab) => lab.boot(),
  )
}

/** Starts the reaper and writes the configuration; no daemon yet. */
async function layOut({ accounting = false, settings = {} }: LabOptions): Promise<Lab> {
  const reaper = await Reaper.start()
  const { folder } = reaper
  const [ctld = 0, dbd = 0, mariadb = 0, n1 = 0, n2 = 0, n3 = 0, n4 = 0] = await freePorts(3 + NODES.length)
  const place: LabPlace = {
    folder,
    host: hostname().split('.')[0] ?? '',
    user: userInfo().username,
    ports: { ctld, dbd, mariadb, nodes: { n1, n2, n3, n4 } },
  }
  for (const name of ['state', 'log', 'database', 'shims', ...NODES.map((node) => `spool/${node}`)]) {
    await mkdir(join(folder, name), { recursive: true })
  }
  await writeFile(join(folder, 'slurm.conf'), slurmConf(place, accounting, settings))
  const version = await run(findProgram('slurmd') ?? 'slurmd', ['-V'], process.env)
  await writeFile(join(folder, 'cgroup.conf'), cgroupConf(version.stdout))
  await writeFile(join(folder, 'slurmdbd.conf'), slurmdbdConf(place), { mode: 0o600 })
  return new Lab(place, reaper, accounting)
}

export class Lab {
  /** Everything of the lab is in here, its logs too; gone after `close()`, but with SOXPLAN_LAB_KEEP=1. */
  readonly folder: string
  /** The environment for whoever talks to this lab: SLURM_CONF, a PATH, and no other Slurm variable. */
  readonly env: NodeJS.ProcessEnv
  readonly #daemons: LabDaemons
  readonly #reaper: Reaper

  constructor(place: LabPlace, reaper: Reaper, accounting: boolean) {
    this.folder = place.folder
    this.env = labEnvironment(place.folder)
    this.#reaper = reaper
    this.#daemons = {
      ...slurmDaemons(place, this.env, (program, args) => run(program, args, this.env)),
      ...(accounting ? databaseDaemons(place, this.env) : {}),
    }
  }

  /** The controller, for `freeze thaw kill stop start`. */
  get ctld(): Daemon {
    return this.#daemons.ctld
  }

  /** slurmd of one node, for the same five verbs. After `kill` its running steps live on, as on a real node. */
  slurmd(node: NodeName): Daemon {
    return this.#daemons.nodes[node]
  }

  /** slurmdbd, for the same five verbs. @throws Error in a lab without accounting. */
  get dbd(): Daemon {
    if (this.#daemons.dbd === undefined) throw new Error('this lab was opened without accounting')
    return this.#daemons.dbd
  }

  /** Starts every daemon; part of `startLab`. */
  async boot(): Promise<void> {
    await this.#daemons.mariadb?.start()
    await this.#daemons.dbd?.start()
    this.ctld.launch()
    for (const node of NODES) this.slurmd(node).launch()
    const idle = async (): Promise<boolean> => {
      const dead = this.#all().find((daemon) => !daemon.running)
      if (dead !== undefined) throw new Error(`a daemon ended while the lab started\n${await dead.logTail()}`)
      const states = await this.run('sinfo', '--noheader', '--Node', '--format=%T', '--partition=main')
      return states.stdout === 'idle\n'.repeat(NODES.length)
    }
    await this.until('all nodes are idle', idle, BOOT_TIMEOUT_MILLIS)
  }

  /** Runs any command in the lab; its failure is a value. */
  run(program: string, ...args: string[]): Promise<CommandResult> {
    return run(program, args, this.env, this.folder)
  }

  /** Submits and returns the job's id. @throws Error when it is refused. */
  async sbatch(...args: string[]): Promise<string> {
    const out = await this.#must('sbatch', ['--parsable', `--output=${this.folder}/job-%j.out`, ...args])
    return out.split(';')[0] ?? ''
  }

  squeue(...args: string[]): Promise<string> {
    return this.#must('squeue', args)
  }

  scontrol(...args: string[]): Promise<string> {
    return this.#must('scontrol', args)
  }

  scancel(...args: string[]): Promise<string> {
    return this.#must('scancel', args)
  }

  sacct(...args: string[]): Promise<string> {
    return this.#must('sacct', args)
  }

  sinfo(...args: string[]): Promise<string> {
    return this.#must('sinfo', args)
  }

  /** The state of a job or of one array task (`12_3`), such as `RUNNING`; empty when the controller forgot it. */
  async jobState(job: string): Promise<string> {
    const out = await this.run('squeue', '--noheader', '--states=all', '--format=%T', `--jobs=${job}`)
    return out.stdout.split('\n')[0] ?? ''
  }

  /** Waits for one of `states`. @throws Error with the queue and the logs when it takes too long. */
  async untilJob(job: string, states: readonly string[], timeoutMillis = DEFAULT_WAIT_MILLIS): Promise<void> {
    const inState = async (): Promise<boolean> => states.includes(await this.jobState(job))
    await this.until(`job ${job} is ${states.join(' or ')}`, inState, timeoutMillis)
  }

  /** The state of a node, such as `idle`, `allocated`, `drained` or `down`; a `*` behind it means no answer. */
  nodeState(node: NodeName): Promise<string> {
    return this.sinfo('--noheader', '--partition=main', `--nodes=${node}`, '--format=%T')
  }

  /** Asks `predicate` every 100 ms. @throws Error with the queue and the logs when it takes too long. */
  async until(
    what: string,
    predicate: () => boolean | Promise<boolean>,
    timeoutMillis = DEFAULT_WAIT_MILLIS,
  ): Promise<void> {
    await waitUntil(what, predicate, timeoutMillis, () => this.#describe())
  }

  /** Running jobs finish, no new ones start there. */
  async drain(node: NodeName): Promise<void> {
    await this.scontrol('update', `NodeName=${node}`, 'State=DRAIN', 'Reason=lab')
  }

  /** Takes a drained or down node back. */
  async resume(node: NodeName): Promise<void> {
    await this.scontrol('update', `NodeName=${node}`, 'State=RESUME')
  }

  /** Replaces a command for whoever runs with the returned `env`; all shims of a lab work together. */
  async shim(command: string, behaviour: ShimBehaviour): Promise<Shim> {
    const real = findProgram(command)
    if (real === undefined) throw new Error(`no ${command} to put a shim before`)
    return makeShim(join(this.folder, 'shims'), command, real, behaviour, this.env)
  }

  /** Ends every process of the lab, jobs included, and removes its folder. May be called twice. */
  async close(): Promise<void> {
    await this.#reaper.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #all(): readonly Daemon[] {
    const { ctld, nodes, mariadb, dbd } = this.#daemons
    return [mariadb, dbd, ctld, ...Object.values(nodes)].filter((daemon) => daemon !== undefined)
  }

  async #must(program: string, args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(program, ...args)
    if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${exitCode}\n${stderr}`)
    return stdout.trimEnd()
  }

  async #describe(): Promise<string> {
    const queue = await this.run('squeue', '--states=all')
    const nodes = await this.run('sinfo', '--Node', '--long')
    const logs = await Promise.all(this.#all().map((daemon) => daemon.logTail()))
    return [queue.stdout, queue.stderr, nodes.stdout, ...logs].join('\n')
  }
}

const SLURM_VARIABLES =
  /^(SLURM|SLURMD|SLURMCTLD|SBATCH|SRUN|SALLOC|SQUEUE|SACCT|SCANCEL|SCONTROL|SINFO|SOXPLAN)_/

function labEnvironment(folder: string): NodeJS.ProcessEnv {
  const outer = Object.entries(process.env).filter(([name]) => !SLURM_VARIABLES.test(name))
  return { ...Object.fromEntries(outer), PATH: SEARCH_PATH, SLURM_CONF: join(folder, 'slurm.conf') }
}
