import { Ajv2020 } from 'ajv/dist/2020.js'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listTree } from '../rig/compare.ts'
import { PROJECT } from '../rig/project.ts'
import type { SoxplanResult } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import { openCase, processesOf, startSoxplan, until, withVariables, type Case } from './case.ts'
import { applyUntilStuck, stuckRsync } from './stuck.ts'

function say(at: Case, ...args: readonly string[]): Promise<SoxplanResult> {
  return startSoxplan(args, { cwd: at.path, env: withVariables({}) }).ended
}

async function runId(at: Case): Promise<string> {
  return (await at.run()).split('/').at(-1) ?? ''
}

describe('runs and status', () => {
  test('before there is a run', async () => {
    await using at = await openCase()
    const runs = await say(at, 'runs')
    expect(runs).toMatchObject({
      exitCode: 0,
      stdout: `There are no runs in ${at.state}. \`soxplan apply PLAN\` makes one; --state DIR names another folder.\n`,
    })
    const status = await say(at, 'status')
    expect(status.exitCode).toBe(2)
    expect(status.stderr).toContain(`error SX607: There are no runs in ${at.state}\n`)
  })

  test('while it runs, after its driver was killed, and when it is delivered; nothing is changed by looking', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { 'a/one': '1', two: '22' })
    const env = await stuckRsync(at)
    const applying = await applyUntilStuck(at, env)
    const run = await runId(at)
    const running = await say(at, 'status')
    expect(running.stdout).toMatch(
      new RegExp(
        `^Run ${run} of plan case, on one machine, since \\S+ \\S+Z: running\n` +
          '  data\\.copy: 0 B of 3 B, 0 of 3 entries copied, 0/1 shards\n' +
          '  data\\.verify: waiting for what is before it\n' +
          `It is shown where it was started; \`soxplan cancel ${run}\` ends it\\.\n$`,
      ),
    )
    expect(running.exitCode).toBe(4)
    applying.child.kill('SIGKILL')
    await applying.ended
    await until(async () => (await processesOf(at.path)).length === 0)
    const before = [...(await listTree(at.state)).keys()]
    const left = await say(at, 'status', run.slice(0, 17))
    expect(left.stdout).toContain(': unfinished: nobody works on it\n')
    expect(left.stdout).toContain(`\`soxplan resume ${run}\` goes on with what has no proof yet.\n`)
    expect(left.exitCode).toBe(1)
    expect([...(await listTree(at.state)).keys()]).toEqual(before)
    const events = join(at.state, 'runs', run, 'events.jsonl')
    await writeFile(events, (await readFile(events, 'utf8')).replace('data.verify', 'data.verifi'))
    const damage =
      `warning SX616: line 1 of the journal of run ${run} is not what was written\n` +
      '  Jobs are found by their names, and what is proven stands in files of its own, so that the run can go on.\n' +
      `  Ask who changed ${events}, or whether its disk is failing.\n`
    expect((await say(at, 'status')).stderr).toBe(damage)
    await writeFile(join(at.path, 'go'), '')
    const resumed = await at.apply([], { env })
    expect(resumed.stderr).toContain(damage)
    expect(resumed.exitCode).toBe(0)
    const over = await say(at, 'status', join(at.state, 'runs', run))
    expect(over.stdout).toContain(
      `data: 3 entries (3 B) delivered, verified by name, size and modification time, in ${at.to}\n`,
    )
    expect(over.exitCode).toBe(0)
    expect((await say(at, 'runs')).stdout).toMatch(
      new RegExp(`^RUN +PLAN +WHERE +STARTED +STATE\n${run}  case  one machine  \\S+ \\S+Z  finished\n$`),
    )
  })

  test('a run with failures names them, ends 1, and is data with --json', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { good: '1', 'in/the/way': '2' })
    await writeTree(at.to, { in: 'a file' })
    expect((await at.apply()).exitCode).toBe(1)
    const run = await runId(at)
    const status = await say(at, 'status')
    expect(status.exitCode).toBe(1)
    expect(status.stdout).toMatch(/: finished, \d failed$/m)
    expect(status.stdout).toContain('in/the/way')
    expect(status.stdout).toContain('what failed is tried again.\n')
    const json = await say(at, 'status', '--json')
    const records = json.stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(records[0]).toMatchObject({ version: 1, record: 'run', run, standing: { kind: 'finished' } })
    expect(records).toContainEqual(
      expect.objectContaining({ record: 'step', step: 'data.copy', outcome: 'accounted', entries: 1 }),
    )
    expect(records.at(-1)).toMatchObject({ record: 'transfer', transfer: 'data', to: at.to, failed: 3 })
    const runs = await say(at, 'runs', '--json')
    const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(
      JSON.parse(await readFile(join(PROJECT, 'schemas', 'runs.schema.json'), 'utf8')) as object,
    )
    const listed = runs.stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    for (const record of [...records, ...listed])
      expect([validate(record), validate.errors, record]).toEqual([true, null, record])
    expect(listed[1]).toMatchObject({
      record: 'run',
      run,
      executor: 'local',
    })
  })

  test('the beginning of two runs is not enough', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { one: '1' })
    await at.apply()
    await writeTree(at.from, { two: '2' })
    await at.apply()
    const two = await say(at, 'status', '20')
    expect(two.stderr).toMatch(/^error SX607: 2 runs in \S+ begin with 20\n {2}Runs there: \S+, \S+\.\n$/)
    expect(two.exitCode).toBe(2)
  })
})
