/** The JSON Schema of the plan file, 2020-12. `schemas/plan.schema.json` is this value, kept equal by a test. */

import type { Options } from 'ajv/dist/2020.js'

import { endpointDefinitions } from './endpoints.ts'
import { block, flag, list, named, path, text, type Fragment } from './fragment.ts'
import { slurmDefinitions } from './slurm.ts'
import { nodes, transfer } from './transfer.ts'

const tool = block(
  'How one tool is found on the nodes.',
  {
    setup: list(
      'Shell lines that run before the tool, such as loading a module. Variables in them are left to the shell.',
      { type: 'string', pattern: '^[^\\u0000\\n\\r]+$', maxLength: 4096 },
      ['module load rclone'],
    ),
    path: path('The program itself, absolute or from `~/`.', '/opt/rclone/bin/rclone'),
  },
  { setup: ['module load rclone'] },
)

const properties: Readonly<Record<string, Fragment>> = {
  version: { description: 'Version of this file format.', const: 1, examples: [1] },
  name: {
    ...text('Name of the plan for people. Default: the name of the file.', 'mlperf-training'),
    maxLength: 100,
  },
  vars: named(
    'Values that `${name}` stands for; `--var name=value` overrides them.',
    {
      description: 'A text, a number, or true or false.',
      type: ['string', 'number', 'boolean'],
      examples: ['training-data'],
    },
    { bucket: 'training-data' },
  ),
  endpoints: named(
    'Places by name. A location is `endpoint:path`.',
    { $ref: '#/$defs/endpoint' },
    { gdrive: { type: 'rclone' } },
  ),
  slurm: {
    $ref: '#/$defs/slurm',
    description: 'Options of every Slurm job.',
    examples: [{ partition: 'main' }],
  },
  tools: block(
    'How the tools are found on the nodes.',
    { rclone: tool, rsync: tool, aws: tool },
    { rclone: { setup: ['module load rclone'] } },
  ),
  environment: block(
    'What of the environment the jobs get.',
    {
      pass: list(
        'Names of variables to hand on. Never secrets: those stay in files that are named by path.',
        { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' },
        ['HTTPS_PROXY', 'NO_PROXY'],
      ),
    },
    { pass: ['HTTPS_PROXY'] },
  ),
  nodes: { ...nodes, description: 'Workers at most, for every transfer that does not say otherwise.' },
  exclusive: flag(
    'Each worker has a node of its own, for every transfer that does not say otherwise.',
    false,
  ),
  state: path(
    'Folder for the runs, from the folder of the plan. Default: `.soxplan`.',
    '/shared/soxplan-runs',
  ),
  transfers: {
    ...named(
      'What is to be moved, by name, in the order that reports keep.',
      { $ref: '#/$defs/transfer' },
      { dataset: { from: '/data/train', to: '/shared/train' } },
    ),
    minProperties: 1,
  },
}

export const planSchema: Fragment = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://soxplan.example/schemas/plan.schema.json',
  title: 'soxplan plan',
  ...block(
    'What a soxplan run moves, from where to where, and how.',
    properties,
    {
      version: 1,
      transfers: { dataset: { from: '/data/train', to: '/shared/train' } },
    },
    ['version', 'transfers'],
  ),
  $defs: { transfer, ...slurmDefinitions, ...endpointDefinitions },
}

/** How ajv checks with it. The schema is not checked against the meta-schema each time; a test does that in ajv's strict mode. */
export const checkOptions = {
  allErrors: true,
  discriminator: true,
  inlineRefs: false,
  messages: false,
  strict: false,
  meta: false,
  validateSchema: false,
} as const satisfies Options
