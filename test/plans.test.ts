/** The ready plans: each is right as it stands, and the page about them has each. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readPlan } from '../src/plan/read.ts'
import { PROJECT } from './rig/project.ts'

const folder = join(PROJECT, 'plans')
const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'))

describe.each(names)('%s', (name) => {
  test('is valid, without a warning', async () => {
    const text = await readFile(join(folder, name), 'utf8')
    const read = readPlan({ text, file: join(folder, name), folder, home: '/home/ada', vars: {}, env: {} })
    expect(read.ok ? read.value.warnings : read.error).toEqual([])
  })

  test('says in its first lines where editors find the schema, and what it is for', async () => {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n')
    expect(lines[0]).toBe('# yaml-language-server: $schema=../schemas/plan.schema.json')
    expect(lines[2]).toMatch(/^# \S.{40,}/)
  })
})

test('the page about the plans names each of them once', async () => {
  const page = await readFile(join(folder, 'README.md'), 'utf8')
  const named = [...page.matchAll(/^\| \[[^\]]+\]\(([^)]+)\)/gm)].map(([, file]) => file)
  expect(named.sort()).toEqual([...names].sort())
})
