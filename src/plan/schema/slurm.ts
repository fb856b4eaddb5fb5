/** Schema of `slurm:`, as it stands in the plan, in a transfer and per stage. */

import { block, flag, list, ONE_LINE, text, whole, type Fragment } from './fragment.ts'

const options: Readonly<Record<string, Fragment>> = {
  partition: text('Partition, or several with commas.', 'main'),
  account: text('Account that is charged.', 'ml'),
  qos: text('Quality of service.', 'normal'),
  reservation: text('Reservation to run in.', 'maintenance'),
  constraint: text('Features that the nodes must have.', 'fastnet'),
  exclude: text('Nodes to stay away from.', 'node[7-9]'),
  exclusive: flag('A worker has its node to itself.', false),
  gres: text('Generic resources, where the partition asks for them.', 'gpu:1'),
  licenses: text('Licences, such as those a site uses to meter bandwidth.', 's3bw:4'),
  nice: whole('Adjustment of the priority; larger is later.', -2_147_483_645, 2_147_483_645, 100),
  mailType: text('Events that Slurm sends mail about.', 'END,FAIL'),
  mailUser: text('Who gets that mail.', 'bob@example.net'),
  time: {
    description:
      "Time limit of one worker in Slurm's grammar: minutes, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes` or `days-hours:minutes:seconds`.",
    type: ['string', 'integer'],
    pattern: '^([0-9]{1,7}(:[0-9]{1,2}){0,2}|[0-9]{1,4}-[0-9]{1,2}(:[0-9]{1,2}){0,2})$',
    minimum: 0,
    maximum: 5_256_000,
    examples: ['1-00:00:00', '4:00:00'],
  },
  cpus: whole('CPUs of one worker.', 1, 4096, 64),
  memory: {
    description: 'Memory of one worker with a unit, K, M, G or T; `0` is all that the node has.',
    type: ['string', 'integer'],
    pattern: '^([1-9][0-9]{0,8}[KMGT]|0)$',
    maximum: 0,
    minimum: 0,
    examples: ['500G'],
  },
  requeue: flag('Slurm may start a worker again after its node failed.', true),
  extra: list(
    'Further sbatch options, one per item in the long form. Those that soxplan sets itself are refused.',
    { type: 'string', pattern: ONE_LINE, maxLength: 1024 },
    ['--switches=1', '--contiguous'],
  ),
}

const example = { partition: 'main', time: '1-00:00:00', cpus: 64, memory: '500G' }

const stages = ['copy', 'fixup', 'verify', 'prune'] as const

export const slurmDefinitions = {
  slurm: block('Options of the Slurm jobs. What is nearer to the stage wins.', options, example),
  transferSlurm: block(
    'Options of the Slurm jobs of this transfer. What is nearer to the stage wins.',
    {
      ...options,
      ...Object.fromEntries(
        stages.map((stage) => [
          stage,
          {
            $ref: '#/$defs/slurm',
            description: `Options of the ${stage} stage alone.`,
            examples: [{ time: '2:00:00', cpus: 8 }],
          },
        ]),
      ),
    },
    { ...example, verify: { cpus: 8 } },
  ),
}
