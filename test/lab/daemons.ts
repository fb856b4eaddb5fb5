/** Which daemons a lab has, how each is started and how it shows that it answers. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { findProgram } from './available.ts'
import { waitUntil, type CommandResult } from './command.ts'
import type { LabPlace, NodeName } from './conf.ts'
import { Daemon } from './daemon.ts'

export interface LabDaemons {
  readonly ctld: Daemon
  readonly nodes: Readonly<Record<NodeName, Daemon>>
  readonly mariadb?: Daemon
  readonly dbd?: Daemon
}

type Ask = (program: string, args: readonly string[]) => Promise<CommandResult>

const READY_TIMEOUT_MILLIS = 30_000

export function slurmDaemons(place: LabPlace, env: NodeJS.ProcessEnv, ask: Ask): LabDaemons {
  const conf = join(place.folder, 'slurm.conf')
  const node = (name: NodeName): Daemon =>
    daemon(place, env, `slurmd.${name}`, 'slurmd', ['-D', '-N', name, '-f', conf], async () => {
      const args = ['--noheader', '--partition=main', `--nodes=${name}`, '--format=%T']
      // A node that does not answer has a `*` behind its state.
      return /^[a-z]+$/.test((await ask('sinfo', args)).stdout.trim())
    })
  return {
    ctld: daemon(place, env, 'slurmctld', 'slurmctld', ['-D', '-f', conf], async () =>
      (await ask('scontrol', ['ping'])).stdout.includes('is UP'),
    ),
    nodes: { n1: node('n1'), n2: node('n2'), n3: node('n3'), n4: node('n4') },
  }
}

export function databaseDaemons(
  place: LabPlace,
  env: NodeJS.ProcessEnv,
): { readonly mariadb: Daemon; readonly dbd: Daemon } {
  const { folder, user, ports } = place
  // Without grant tables an empty folder is a database at once: no mysql_install_db, no passwords.
  const settings = [
    '--no-defaults',
    '--skip-grant-tables',
    `--user=${user}`,
    `--datadir=${folder}/database`,
    `--socket=${folder}/mariadb.sock`,
    `--pid-file=${folder}/mariadb.pid`,
    `--port=${ports.mariadb}`,
    '--bind-address=127.0.0.1',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=8M',
    '--innodb-flush-log-at-trx-commit=0',
  ]
  return {
    mariadb: daemon(place, env, 'mariadb', 'mariadbd', settings, () => answers(ports.mariadb)),
    // slurmdbd takes its configuration from the folder of SLURM_CONF.
    dbd: daemon(place, env, 'slurmdbd', 'slurmdbd', ['-D'], () => answers(ports.dbd)),
  }
}

function daemon(
  { folder }: LabPlace,
  env: NodeJS.ProcessEnv,
  name: string,
  program: string,
  args: readonly string[],
  answering: () => Promise<boolean>,
): Daemon {
  const started: Daemon = new Daemon({
    name,
    program: findProgram(program) ?? program,
    args,
    env: { ...env, SOXPLAN_LAB: folder },
    cwd: folder,
    log: join(folder, 'log', `${name}.log`),
    ready: () =>
      waitUntil(
        `${name} answers`,
        async () => {
          if (!started.running) throw new Error(`${name} ended while it started\n${await started.logTail()}`)
          return answering()
        },
        READY_TIMEOUT_MILLIS,
        () => started.logTail(),
      ),
  })
  return started
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
