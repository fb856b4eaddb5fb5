/** docs/plan-file.md names every field of the schema and no other, and its examples are plans without a mistake. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { extraOptions } from '../../src/plan/sbatch-options.ts'
import { planSchema } from '../../src/plan/schema/plan.ts'
import { PROJECT } from '../rig/project.ts'
import { seen } from './fixtures.ts'

type Schema = Readonly<Record<string, unknown>>

const page = await readFile(join(PROJECT, 'docs', 'plan-file.md'), 'utf8')

function part(schema: unknown, keyword: string): Readonly<Record<string, Schema>> {
  return ((schema as Schema | undefined)?.[keyword] ?? {}) as Readonly<Record<string, Schema>>
}

/** The text under a heading of level two or three, up to the next one. */
function section(heading: string): string {
  const start = page.indexOf(`\n${heading}\n`)
  expect(start, heading).toBeGreaterThan(0)
  return page.slice(start + heading.length + 2).split(/^##/m)[0] ?? ''
}

function namesInTables(heading: string): readonly string[] {
  return [...section(heading).matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name ?? '').sort()
}

function keys(schema: unknown): readonly string[] {
  return Object.keys(part(schema, 'properties')).sort()
}

const top = part(planSchema, 'properties')
const definitions = part(planSchema, '$defs')
const transfer = part(definitions['transfer'], 'properties')

test.each<[string, unknown]>([
  ['## The top', planSchema],
  ['### `type: rclone`', definitions['rcloneEndpoint']],
  ['### `type: local`', definitions['localEndpoint']],
  ['### `type: ssh`', definitions['sshEndpoint']],
  ['### `type: s3`', definitions['s3Endpoint']],
  ['## `transfers`', definitions['transfer']],
  ['### `after`', transfer['after']?.['items']],
  ['### `retries`', transfer['retries']],
  ['### `fixup`', transfer['fixup']],
  ['### `options`', transfer['options']],
  ['## `slurm`', definitions['transferSlurm']],
  ['## `tools`', part(top['tools'], 'properties')['rclone']],
  ['## `environment`', top['environment']],
])('%s has the fields of the schema', (heading, schema) => {
  expect(namesInTables(heading)).toEqual(keys(schema))
})

test('defaults on the page are those of the schema', () => {
  const wrong: string[] = []
  for (const [heading, fields] of [
    ['## `transfers`', transfer],
    ['## `slurm`', part(definitions['slurm'], 'properties')],
    ['### `retries`', part(transfer['retries'], 'properties')],
  ] as const) {
    for (const [, name = '', shown = ''] of section(heading).matchAll(
      /^\| `(\w+)` \|[^|]*\| `([^`]+)` \|/gm,
    )) {
      const written = fields[name]?.['default']
      if (written !== undefined && JSON.stringify(written).replaceAll('"', '') !== shown)
        wrong.push(`${heading} ${name}: ${shown}`)
    }
  }
  expect(wrong).toEqual([])
})

test.each(['rclone', 'rsync', 'aws'])('the options of %s are listed', (tool) => {
  const row = section('### `options`')
    .split('\n')
    .find((line) => line.startsWith(`| \`${tool}\``))
  const listed = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name).slice(1)
  expect(listed.sort()).toEqual(keys(part(transfer['options'], 'properties')[tool]))
})

test('the extra sbatch options are listed', () => {
  const allowed = section('### Extra sbatch options').split('Allowed are ')[1]?.split('. ')[0] ?? ''
  expect([...allowed.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual([...extraOptions])
})

describe('examples', () => {
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '')

  test('there is one for each part', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6)
  })

  test.each(examples.map((text, i) => [i + 1, text] as const))(
    'example %i is a plan without a mistake',
    (_, text) => {
      expect(seen(text)).toBe('')
    },
  )
})
