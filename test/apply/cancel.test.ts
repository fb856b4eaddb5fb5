import { spawnSync } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SoxplanResult } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import {
  compareFinished,
  openCase,
  processesOf,
  startSoxplan,
  until,
  withVariables,
  type Case,
  type Running,
} from './case.ts'
import { applyUntilStuck, stuckRsync } from './stuck.ts'

/** Two shards of many are there, and the next one is being copied. */
async function slowRsync(at: Case): Promise<NodeJS.ProcessEnv> {
  const files = Array.from({ length: 40 }, (_, index) => [`d${index % 4}/f${index}`, `${index}`] as const)
  await writeTree(at.from, Object.fromEntries(files))
  return stuckRsync(at, 2, { SOXPLAN_SHARD_SECONDS: '0.001' })
}

/** Workers see within a beat that nobody drives them any more. */
async function killed(at: Case, { child, ended }: Running): Promise<void> {
  child.kill('SIGKILL')
  await ended
  await until(async () => (await processesOf(at.path)).length === 0)
}

function say(
  at: Case,
  args: readonly string[],
  env: NodeJS.ProcessEnv = withVariables({}),
): Promise<SoxplanResult> {
  return startSoxplan(args, { cwd: at.path, env }).ended
}

async function runId(at: Case): Promise<string> {
  return (await at.run()).split('/').at(-1) ?? ''
}

async function events(at: Case): Promise<readonly string[]> {
  const text = await readFile(join(await at.run(), 'events.jsonl'), 'utf8')
  return [...text.matchAll(/"kind":"([a-z]+)"/g)].map(([, kind = '']) => kind)
}

describe('cancel and resume on this machine', () => {
  test('a cancel from elsewhere ends an apply and all its workers; resume goes on from what is proven', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const env = await slowRsync(at)
    const applying = await applyUntilStuck(at, env)
    const run = await runId(at)
    const cancelled = await say(at, ['cancel', run, '--yes'])
    expect(cancelled.stderr).toMatch(
      /^(Waiting for the soxplan that drives it …\n)?Looking for half files and broken uploads …\n$/,
    )
    expect(cancelled.stdout).toContain(`Run ${run} of plan case, on one machine.\n`)
    expect(cancelled.stdout).toContain(
      `Run ${run} is cancelled. What is proven is kept; \`soxplan resume ${run}\` goes on from there.\n`,
    )
    expect(cancelled.exitCode).toBe(0)
    const ended = await applying.ended
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toMatch(
      new RegExp(`^Run ${run} was cancelled by \\S+ on \\S+\\. What is proven is kept; `, 'm'),
    )
    await until(async () => (await processesOf(at.path)).length === 0)
    expect(await readdir(at.state)).toEqual(['.gitignore', 'runs'])
    expect(await readdir(await at.run())).not.toContain('cancel')
    await writeFile(join(at.path, 'go'), '')
    const resumed = await say(at, ['resume', run, '--yes'], env)
    expect(resumed.stderr).toMatch(
      new RegExp(
        `^Run ${run} of plan case was cancelled by \\S+ on \\S+; going on with what has no proof yet\\.$`,
        'm',
      ),
    )
    expect(resumed.exitCode).toBe(0)
    expect(await compareFinished(at)).toEqual([])
    expect(await events(at)).toContain('cancelled')
    const over = await say(at, ['resume', run, '--yes'])
    expect(over.stderr).toBe(
      `error SX611: Run ${run} is over\n` +
        '  All of it is accounted for: delivered and proven, or failed by name.\n' +
        '  Apply its plan again: what is there is not copied twice, and what failed is tried again.\n',
    )
    expect(over.exitCode).toBe(1)
    const again = await say(at, ['cancel', run, '--yes'])
    expect(again.stdout).toContain(`Run ${run} was over already; nothing of it is left to end.\n`)
    expect(again.exitCode).toBe(0)
  })

  test('resume after a driver that was killed, from the run folder alone', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const env = await slowRsync(at)
    const applying = await applyUntilStuck(at, env)
    await killed(at, applying)
    await rm(join(at.path, 'plan.yaml'))
    await writeFile(join(at.path, 'go'), '')
    const resumed = await say(at, ['resume', await at.run(), '--yes', '--slots', '1'], env)
    expect(resumed.stderr).toContain(' of plan case is unfinished; going on with what has no proof yet.\n')
    expect(resumed.exitCode).toBe(0)
    expect(await compareFinished(at)).toEqual([])
  })

  test('cancel after a driver that was killed says what is left to do with the run', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const env = await slowRsync(at)
    const applying = await applyUntilStuck(at, env)
    await killed(at, applying)
    const run = await runId(at)
    const cancelled = await say(at, ['cancel', run, '--yes'])
    expect(cancelled.stderr).toBe('Looking for half files and broken uploads …\n')
    expect(cancelled.exitCode).toBe(0)
    expect((await events(at)).at(-1)).toBe('cancelled')
  })

  test('neither asks without a terminal, and a run that is not there is named', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { one: '1' })
    await at.apply()
    const run = await runId(at)
    for (const verb of ['cancel', 'resume']) {
      const mute = await say(at, [verb, run])
      expect(mute.stderr).toContain('error SX001: There is no terminal to ask on\n')
      expect(mute.exitCode).toBe(2)
      const unknown = await say(at, [verb, '20200101-000000-0000', '--yes'])
      expect(unknown.stderr).toContain('error SX607: There is no run 20200101-000000-0000 in ')
      expect(unknown.exitCode).toBe(2)
    }
  })
})

describe('the lock', () => {
  test('names its holder and an id; force-unlock leaves a holder that lives, and removes one that is gone', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const env = await slowRsync(at)
    const applying = await applyUntilStuck(at, env)
    const second = await at.apply()
    expect(second.exitCode).toBe(1)
    const id = /soxplan force-unlock ([0-9a-f]{8}) --state (\S+)$/m.exec(second.stderr)
    expect(id?.[2]).toBe(at.state)
    expect(second.stderr).toMatch(/process \d+ of \S+ on \S+, since \S+; last heard of \d+ s ago$/m)
    const lives = await say(at, ['force-unlock', id?.[1] ?? ''])
    expect(lives.stderr).toContain(`error SX610: The holder of lock ${id?.[1]} lives: process `)
    expect(lives.exitCode).toBe(1)
    const other = await say(at, ['force-unlock', '00000000'])
    expect(other.stderr).toContain(`error SX609: The lock of ${at.state} is ${id?.[1]}, not 00000000`)
    await killed(at, applying)
    const gone = await say(at, ['force-unlock', id?.[1] ?? ''])
    expect(gone.stdout).toMatch(/^The lock of process \d+ of \S+ on \S+ is gone\. /)
    expect(gone.exitCode).toBe(0)
    const none = await say(at, ['force-unlock', id?.[1] ?? ''])
    expect(none.stdout).toBe(`There is no lock ${id?.[1]} in ${at.state}.\n`)
    expect(none.exitCode).toBe(0)
  })

  test('who loses it leaves: workers here are stopped, and the run can be gone on with', async () => {
    await using at = await openCase({ tool: 'rsync' })
    const env = await slowRsync(at)
    const applying = await applyUntilStuck(at, env)
    await rm(join(at.state, 'lock'))
    const ended = await applying.ended
    expect(ended.stderr).toContain(`The lock of ${at.state} is not ours any more (force-unlock); leaving.\n`)
    expect(ended.exitCode).toBe(130)
    await until(async () => (await processesOf(at.path)).length === 0)
    await writeFile(join(at.path, 'go'), '')
    expect((await at.apply([], { env })).exitCode).toBe(0)
    expect(await compareFinished(at)).toEqual([])
  })
})

test('the verbs are in the help', () => {
  const { stdout } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../../bin/soxplan.js'), '--help'],
    {
      encoding: 'utf8',
    },
  )
  for (const verb of ['resume', 'cancel', 'clean', 'force-unlock']) expect(stdout).toContain(`  ${verb} `)
})
