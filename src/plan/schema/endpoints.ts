/** Schema of `endpoints:`: one form per type of place. */

import { block, choice, path, text, whole, type Fragment } from './fragment.ts'

function endpoint(
  type: string,
  description: string,
  properties: Readonly<Record<string, Fragment>>,
  example: Fragment,
  required: readonly string[] = [],
): Fragment {
  const tag = { description: `This is ${description}.`, const: type, examples: [type] }
  return block(`${description}.`, { type: tag, ...properties }, { type, ...example }, ['type', ...required])
}

const maxConnections = whole(
  'Connections that this place bears at once, counted over all workers.',
  1,
  10_000,
  8,
)

const local = endpoint(
  'local',
  'A folder that this machine and the nodes see under one path',
  { path: path('The folder, absolute or from `~/`.', '/shared') },
  { path: '/shared' },
  ['path'],
)

const ssh = endpoint(
  'ssh',
  'A server reached over SSH',
  {
    host: text('Name or address of the server.', '192.0.2.7', 'login.example.net'),
    user: text('User to log in as. Default: the one that runs soxplan.', 'bob'),
    port: { ...whole('Port of the SSH server.', 1, 65_535, 2222), default: 22 },
    key: path(
      'Private key without a passphrase, by path. The key itself never stands in a plan.',
      '~/.ssh/id_ed25519',
    ),
    knownHosts: path('File of known host keys.', '~/.ssh/known_hosts'),
    jump: text(
      'A server on the way, as `user@host:port`; user and port where they differ from the usual.',
      'bob@gate.example.net',
    ),
    maxConnections,
  },
  { host: '192.0.2.7', user: 'bob', key: '~/.ssh/id_ed25519' },
  ['host'],
)

const s3 = endpoint(
  's3',
  'A bucket behind the S3 protocol',
  {
    bucket: text('Name of the bucket.', 'training-data'),
    region: text('Region of the bucket.', 'eu-north1'),
    endpoint: text('Address of the service, where it is not AWS.', 'https://storage.example.net'),
    provider: text("rclone's name of the service, which decides about its quirks.", 'AWS', 'Ceph'),
    profile: text('Profile of the shared credentials file. Secrets never stand in a plan.', 'default'),
    credentials: path('The shared credentials file, by path. Default: `~/.aws/credentials`.', '~/.aws/team'),
    maxConnections,
  },
  { bucket: 'training-data', region: 'eu-north1', profile: 'default' },
  ['bucket'],
)

const rclone = endpoint(
  'rclone',
  'A remote that is set up in an rclone configuration file',
  {
    config: path("The configuration file. Default: rclone's own.", '~/.config/rclone/rclone.conf'),
    remote: {
      description: "Name of the remote in that file, without the colon. Default: the endpoint's own name.",
      type: 'string',
      pattern: '^[\\p{L}\\p{N}_.+@][\\p{L}\\p{N}_.+@ -]*$',
      examples: ['gdrive'],
    },
  },
  { config: '~/.config/rclone/rclone.conf', remote: 'gdrive' },
)

export const endpointTypes = ['local', 'rclone', 's3', 'ssh'] as const

export const endpointDefinitions = {
  endpoint: {
    description: 'A named place: where data comes from or goes to.',
    type: 'object',
    required: ['type'],
    properties: {
      type: { description: 'What kind of place.', type: 'string', enum: endpointTypes, examples: ['rclone'] },
    },
    discriminator: { propertyName: 'type' },
    oneOf: endpointTypes.map((type) => ({ $ref: `#/$defs/${type}Endpoint` })),
    examples: [{ type: 'rclone', remote: 'gdrive' }],
  },
  localEndpoint: local,
  rcloneEndpoint: rclone,
  s3Endpoint: s3,
  sshEndpoint: ssh,
} as const

export const fixup = block(
  'Sets owners, permissions and times a second time with rsync, where the copying tool cannot keep them.',
  {
    from: path(
      'Where the attributes are read: a folder or an SSH server. Default: `from` of the transfer.',
      'old:/home/bob/data',
    ),
    preserve: {
      description: 'Which attributes. Default: owner, group, permissions and times.',
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        enum: ['owner', 'group', 'permissions', 'times', 'acls', 'xattrs', 'hardlinks'],
      },
      examples: [['owner', 'group', 'permissions', 'times']],
    },
    owners: choice('Whether owners are matched by name or by number.', ['names', 'ids']),
  },
  { from: 'old:/home/bob/data', preserve: ['permissions', 'times'] },
)
