/** The published schema, the fields that rules see, and the page about the plan file say the same. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Fragment } from '../../src/plan/schema/fragment.ts'
import { planSchema } from '../../src/plan/schema/plan.ts'
import { PROJECT } from '../rig/project.ts'
import { wholePlan } from './fixtures.ts'

type Schema = Readonly<Record<string, unknown>>

function part(schema: Schema, keyword: string): Readonly<Record<string, Schema>> {
  return (schema[keyword] ?? {}) as Readonly<Record<string, Schema>>
}

/** Every field of the plan file with the path that leads to it. */
function* fields(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  for (const [name, field] of Object.entries(part(schema, 'properties'))) {
    yield [`${path}.${name}`, field]
    yield* fields(field, `${path}.${name}`)
  }
  for (const keyword of ['additionalProperties', 'items']) {
    const inner = schema[keyword]
    if (typeof inner === 'object' && inner !== null) yield* fields(inner as Schema, `${path}.*`)
  }
}

function* allFields(): Generator<readonly [string, Schema]> {
  yield* fields(planSchema, 'plan')
  for (const [name, definition] of Object.entries(part(planSchema, '$defs'))) {
    yield* fields(definition, name)
  }
}

function* maps(schema: unknown, path = '#'): Generator<readonly [string, Schema]> {
  if (typeof schema !== 'object' || schema === null) return
  if ('properties' in schema) yield [path, schema]
  for (const [key, inner] of Object.entries(schema)) {
    if (key !== 'examples') yield* maps(inner, `${path}/${key}`)
  }
}

const strict = new Ajv2020({ strict: true, allErrors: true, discriminator: true, allowUnionTypes: true })

describe('the published schema', () => {
  test('is what the program checks with; `npx vitest run test/plan/schema.test.ts -u` writes it', async () => {
    await expect(`${JSON.stringify(planSchema, null, 2)}\n`).toMatchFileSnapshot(
      join(PROJECT, 'schemas', 'plan.schema.json'),
    )
  })

  test('is JSON Schema 2020-12 by its own meta-schema and by the strict mode of ajv', () => {
    expect(strict.validateSchema(planSchema)).toBe(true)
    expect(() => strict.compile(planSchema)).not.toThrow()
  })

  test('accepts a plan that uses every form of every field', () => {
    const validate = strict.compile(planSchema)
    validate(parse(wholePlan))
    expect(validate.errors).toBeNull()
  })

  test('knows no map to which anything could be added', () => {
    const open = [...maps(planSchema)].filter(
      ([, schema]) => schema['additionalProperties'] === undefined && !('discriminator' in schema),
    )
    expect(open.map(([path]) => path)).toEqual([])
  })

  test('has a description and an example for every field, and the examples are valid', () => {
    const bad: string[] = []
    for (const [path, field] of allFields()) {
      const examples = field['examples']
      if (typeof field['description'] !== 'string') bad.push(`${path}: no description`)
      if (!Array.isArray(examples) || examples.length === 0) bad.push(`${path}: no example`)
      else {
        const validate = strict.compile({ ...field, $defs: planSchema['$defs'] } as Fragment)
        for (const example of examples)
          if (!validate(example)) bad.push(`${path}: ${JSON.stringify(example)}`)
      }
    }
    expect(bad).toEqual([])
  })
})

describe('field names', () => {
  /** The members of the interfaces in a file, without parsing types further than their names. */
  async function membersOf(file: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const text = await readFile(join(PROJECT, file), 'utf8')
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022)
    const members = new Map<string, readonly string[]>()
    for (const statement of source.statements) {
      if (!ts.isInterfaceDeclaration(statement)) continue
      members.set(
        statement.name.text,
        statement.members.map((member) => member.name?.getText(source) ?? '').sort(),
      )
    }
    return members
  }

  function namesIn(schema: Schema): readonly string[] {
    return Object.keys(part(schema, 'properties')).sort()
  }

  const definitions = part(planSchema, '$defs')
  const transfer = part(definitions['transfer'] ?? {}, 'properties')
  const blocks: Readonly<Record<string, Schema | undefined>> = {
    WrittenPlan: planSchema,
    WrittenTransfer: definitions['transfer'],
    WrittenLocal: definitions['localEndpoint'],
    WrittenRclone: definitions['rcloneEndpoint'],
    WrittenS3: definitions['s3Endpoint'],
    WrittenSsh: definitions['sshEndpoint'],
    WrittenSlurm: definitions['slurm'],
    WrittenFixup: transfer['fixup'],
    WrittenRetries: transfer['retries'],
    WrittenAfter: transfer['after']?.['items'] as Schema,
    WrittenEnvironment: part(planSchema, 'properties')['environment'],
    WrittenTool: part(part(planSchema, 'properties')['tools'] ?? {}, 'properties')['rclone'],
  }

  test.each(Object.entries(blocks))('%s has the fields of the schema', async (name, schema) => {
    const members = await membersOf('src/plan/written.ts')
    expect(members.get(name)).toEqual(namesIn(schema ?? {}))
  })

  test('stages in a transfer add nothing but themselves to the Slurm options', async () => {
    const members = await membersOf('src/plan/written.ts')
    const own = members.get('WrittenTransferSlurm') ?? []
    expect([...(members.get('WrittenSlurm') ?? []), ...own].sort()).toEqual(
      namesIn(definitions['transferSlurm'] ?? {}),
    )
  })

  test('a Plan has no field that a plan file cannot set', async () => {
    const written = new Set([...allFields()].map(([path]) => path.split('.').at(-1)))
    const members = await membersOf('src/plan/plan.ts')
    const derived = new Set([
      'file',
      'folder',
      'stateDir',
      'toIsDirectory',
      'environmentPass',
      'mirror',
      'afterJobs',
    ])
    const unknown = ['Plan', 'Transfer', 'SlurmOptions', 'ToolSetup']
      .flatMap((name) => members.get(name) ?? [])
      .filter((name) => !written.has(name) && !derived.has(name))
    expect(unknown).toEqual([])
  })
})
