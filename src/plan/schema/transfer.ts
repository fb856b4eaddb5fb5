/** Schema of one entry of `transfers:`. */

import { fixup } from './endpoints.ts'
import { block, choice, flag, list, NAME_PATTERN, path, whole, type Fragment } from './fragment.ts'
import { options } from './options.ts'

/** More than Slurm's default `MaxArraySize` (1001) leaves room for would only be refused later. */
export const MAX_NODES = 1000

export const nodes: Fragment = {
  ...whole('Workers at most. Each takes one place in the Slurm array.', 1, MAX_NODES, 8),
  default: 4,
}

const globs = { type: 'string', minLength: 1, maxLength: 4096 }

const after: Fragment = list(
  'What must be delivered in full before this starts: transfers of this plan, or a Slurm job as `afterok:ID`.',
  {
    type: ['string', 'object'],
    minLength: 1,
    additionalProperties: false,
    required: ['transfer'],
    properties: {
      transfer: {
        description: 'The transfer to wait for.',
        type: 'string',
        pattern: NAME_PATTERN,
        examples: ['code'],
      },
      allow: choice('`partial` starts even when some files of it failed.', ['complete', 'partial']),
    },
  },
  ['code', { transfer: 'images', allow: 'partial' }, 'afterok:12345'],
)

const fields: Readonly<Record<string, Fragment>> = {
  from: path(
    'Source: `endpoint:path`, or an absolute path. Its contents land in `to`.',
    'store:train',
    '/data/train',
  ),
  to: path('Destination, in the same form. Nothing outside it is ever written.', '/shared/mlperf-data'),
  tool: choice('The program that moves the bytes. `auto` chooses, and the preview says why.', [
    'auto',
    'rclone',
    'rsync',
    'aws',
  ]),
  mode: choice('`mirror` also deletes what the source no longer has.', ['copy', 'mirror']),
  maxDelete: {
    description:
      'With `mode: mirror`: the part of what stands at the destination that may be deleted without a confirmation on the command line.',
    type: 'string',
    pattern: '^(100|[0-9]{1,2}(\\.[0-9]{1,3})?)%$',
    default: '10%',
    examples: ['2.5%'],
  },
  where: choice('`slurm`: as jobs. `login`: here, before anything is submitted.', ['slurm', 'login']),
  existing: choice('What happens to a file that is there already and differs.', [
    'update',
    'keep',
    'keep-newer',
    'error',
  ]),
  compare: choice('How a file that is there already is found to differ.', [
    'auto',
    'size',
    'size+mtime',
    'checksum',
  ]),
  verify: choice(
    'How every delivered file is proven at the end.',
    ['none', 'auto', 'size', 'size+mtime', 'checksum', 'download'],
    'auto',
  ),
  nodes,
  exclusive: flag('Each worker has a node of its own; the same as `exclusive` under `slurm`.', false),
  include: list('Only files whose path below `from` matches one of these patterns.', globs, ['**/*.tar']),
  exclude: list('Files and folders to leave out, by pattern. It wins over `include`.', globs, ['tmp/**']),
  symlinks: {
    description: 'What becomes of symbolic links. Between disks they are kept unless this says otherwise.',
    type: 'string',
    enum: ['keep', 'follow', 'skip'],
    examples: ['follow'],
  },
  umask: {
    description: 'Rights that new files and folders do not get, octal and in quotes. Default: inherited.',
    type: 'string',
    pattern: '^[0-7]{3,4}$',
    examples: ['002', '022'],
  },
  bandwidth: {
    description:
      'Limit of the whole transfer over all workers, in bits or bytes per second. The unit is required.',
    type: 'string',
    pattern: '^[0-9]{1,9}(\\.[0-9]{1,6})? ?([kKMGT]i?)?(bit|B)/s$',
    examples: ['10Gbit/s', '1.2GiB/s'],
  },
  fixup,
  options,
  onChange: choice('What happens when the source moved on after it was listed.', [
    'refuse',
    'deliver-unchanged',
  ]),
  followDestinationLinks: flag(
    'Write through symbolic links to folders that stand at the destination.',
    false,
  ),
  after,
  retries: block(
    'How often a failed shard is tried.',
    { attempts: { ...whole('Attempts per shard, the first included.', 1, 20, 5), default: 3 } },
    { attempts: 5 },
  ),
  slurm: {
    $ref: '#/$defs/transferSlurm',
    description: 'Options of the Slurm jobs of this transfer.',
    examples: [{ time: '4:00:00' }],
  },
}

export const transfer: Fragment = block(
  'One source, one destination, one policy.',
  fields,
  { from: '/data/train', to: '/shared/train' },
  ['from', 'to'],
)
