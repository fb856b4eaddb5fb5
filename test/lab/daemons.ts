/** Which daemons a lab has, how each is started and how it shows that it answers. */

import { join } from 'node:path'
import type { CommandResult } from './command.ts'
import type { LabPlace, NodeName } from './conf.ts'
import { daemonOf, type Daemon } from './daemon.ts'
import { answers } from './ports.ts'

export interface LabDaemons {
  readonly ctld: Daemon
  readonly nodes: Readonly<Record<NodeName, Daemon>>
  readonly mariadb?: Daemon
  readonly dbd?: Daemon
}

type Ask = (program: string, args: readonly string[]) => Promise<CommandResult>

export function slurmDaemons(place: LabPlace, env: NodeJS.ProcessEnv, ask: Ask): LabDaemons {
  const conf = join(place.folder, 'slurm.conf')
  const node = (name: NodeName): Daemon =>
    daemonOf(place.folder, env, `slurmd.${name}`, 'slurmd', ['-D', '-N', name, '-f', conf], async () => {
      const args = ['--noheader', '--partition=main', `--nodes=${name}`, '--format=%T']
      // A node that does not answer has a `*` behind its state.
      return /^[a-z]+$/.test((await ask('sinfo', args)).stdout.trim())
    })
  return {
    ctld: daemonOf(place.folder, env, 'slurmctld', 'slurmctld', ['-D', '-f', conf], async () =>
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
    mariadb: daemonOf(place.folder, env, 'mariadb', 'mariadbd', settings, () => answers(ports.mariadb)),
    // slurmdbd takes its configuration from the folder of SLURM_CONF.
    dbd: daemonOf(place.folder, env, 'slurmdbd', 'slurmdbd', ['-D'], () => answers(ports.dbd)),
  }
}
