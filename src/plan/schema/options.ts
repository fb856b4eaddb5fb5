/** Tuning options per tool: an allow-list, because any other flag could change what is copied or what a proof is worth. */

import { block, type Fragment } from './fragment.ts'

function count(description: string, example: number, maximum = 10_000): Fragment {
  return { description, type: 'integer', minimum: 0, maximum, examples: [example] }
}

function onOff(description: string): Fragment {
  return { description, type: 'boolean', examples: [true] }
}

/** A size as rclone reads it; a bare number would mean KiB there, so a unit is asked for. */
function size(description: string, example: string): Fragment {
  return {
    description,
    type: 'string',
    pattern: '^(off|[0-9]{1,12}(\\.[0-9]{1,6})?([KMGTP]i?|B))$',
    examples: [example],
  }
}

function duration(description: string, example: string): Fragment {
  return {
    description,
    type: 'string',
    pattern: '^([0-9]{1,9}(\\.[0-9]{1,3})?(ms|s|m|h))+$',
    examples: [example],
  }
}

const rclone = block(
  'Flags of rclone, without the dashes.',
  {
    transfers: count('Files copied at once by one worker.', 32, 1024),
    checkers: count('Files compared at once by one worker.', 24, 1024),
    'buffer-size': size('Memory read ahead per file.', '128Mi'),
    'multi-thread-streams': count('Streams per large file.', 24, 256),
    'multi-thread-cutoff': size('Files from this size on are copied in several streams.', '4Gi'),
    'multi-thread-chunk-size': size(
      'Piece of a large file that one stream copies (rclone 1.64 or newer).',
      '128Mi',
    ),
    'multi-thread-write-buffer-size': size(
      'Memory per stream before it is written (rclone 1.63 or newer).',
      '128Ki',
    ),
    'max-buffer-memory': size('Memory for all read-ahead buffers together (rclone 1.70 or newer).', '8Gi'),
    'max-connections': count('Connections that one worker opens (rclone 1.70 or newer).', 64),
    'use-mmap': onOff('Give unused buffers back to the system at once.'),
    'order-by': {
      description: 'Which files of a shard go first.',
      type: 'string',
      pattern: '^(size|name|modtime)(,(ascending|asc|descending|desc|mixed(,[0-9]{1,3})?))?$',
      examples: ['size,descending'],
    },
    tpslimit: {
      description: 'Requests per second of one worker.',
      type: 'number',
      minimum: 0,
      maximum: 1_000_000,
      examples: [100],
    },
    'tpslimit-burst': count('Requests that may come in one burst.', 10, 1_000_000),
    timeout: duration('A connection that stays idle for so long is given up.', '5m'),
    contimeout: duration('Time to wait for a connection.', '1m'),
    'low-level-retries': count('Times that one request is tried.', 10, 1000),
    'disable-http2': onOff('Use HTTP/1.1, which is faster with some stores.'),
    's3-chunk-size': size('Part of a multipart upload to S3.', '32Mi'),
    's3-upload-concurrency': count('Parts of one file sent to S3 at once.', 8, 1024),
    's3-upload-cutoff': size('Files from this size on are sent to S3 in parts.', '200Mi'),
    's3-copy-cutoff': size('Files from this size on are copied inside S3 in parts.', '4Gi'),
    's3-no-check-bucket': onOff('Do not look for the bucket or make it; for keys that may not.'),
    'sftp-chunk-size': size('Data of one SFTP request.', '120Ki'),
    'sftp-concurrency': count('SFTP requests on the way per file.', 64, 1024),
    'drive-chunk-size': size('Part of an upload to Google Drive.', '64Mi'),
    'drive-pacer-min-sleep': duration('Least time between two calls to Google Drive.', '100ms'),
    'azureblob-chunk-size': size('Block of an upload to Azure.', '16Mi'),
    'azureblob-upload-concurrency': count('Blocks of one file sent to Azure at once.', 16, 1024),
    'b2-chunk-size': size('Part of an upload to B2.', '96Mi'),
  },
  { transfers: 32, checkers: 24 },
)

const rsync = block(
  'Flags of rsync, without the dashes.',
  {
    compress: onOff('Compress on the way. Costs more than it gives on a fast network.'),
    'compress-choice': {
      description: 'Which compression.',
      type: 'string',
      enum: ['zstd', 'lz4', 'zlibx', 'zlib', 'none'],
      examples: ['zstd'],
    },
    'compress-level': count('Level of the compression.', 3, 22),
    'whole-file': onOff('Send files whole instead of looking for the parts that changed.'),
    'block-size': count('Bytes of a block when looking for the parts that changed.', 131_072, 131_072),
    'checksum-choice': {
      description: 'Which checksum rsync uses for its own checks on the way.',
      type: 'string',
      enum: ['auto', 'xxh128', 'xxh3', 'xxh64', 'md5', 'sha1'],
      examples: ['xxh128'],
    },
    timeout: count('Seconds of silence after which rsync gives up.', 300, 86_400),
    // rsync has no `--no-preallocate` to say the opposite with.
    preallocate: {
      description: 'Reserve the space of a file before it is written. Off unless it stands here.',
      const: true,
      examples: [true],
    },
    sparse: onOff('Write long runs of zeros as holes.'),
    'open-noatime': onOff('Leave the access times of the source alone.'),
  },
  { 'whole-file': true },
)

const aws = block(
  'Settings of the aws tool for S3, by the names of its configuration file.',
  {
    max_concurrent_requests: count('Requests at once of one worker.', 64, 1000),
    max_queue_size: count('Tasks that may wait.', 10_000, 1_000_000),
    multipart_threshold: size('Files from this size on are sent in parts.', '64Mi'),
    multipart_chunksize: size('Size of a part.', '32Mi'),
    preferred_transfer_client: {
      description: 'Which transfer code the tool uses.',
      type: 'string',
      enum: ['auto', 'classic', 'crt'],
      examples: ['crt'],
    },
  },
  { max_concurrent_requests: 64 },
)

export const options = block(
  'Tuning flags per tool. Only these are allowed: none of them changes what is copied or proven.',
  { rclone, rsync, aws },
  { rclone: { transfers: 32, checkers: 24 } },
)
