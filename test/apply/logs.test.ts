import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { puppet } from '../rig/puppet.ts'
import type { SoxplanResult } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import { openCase, realProgram, startSoxplan, withVariables, type Case } from './case.ts'

function say(at: Case, ...args: readonly string[]): Promise<SoxplanResult> {
  return startSoxplan(args, { cwd: at.path, env: withVariables({}) }).ended
}

/** A run of one shard whose every copy fails, after a line that would turn a terminal red. */
async function failedRun(at: Case): Promise<string> {
  await writeTree(at.from, { one: '1' })
  const real = await realProgram('rsync')
  const script = `
    case "$1" in --version) exec ${real} "$@" ;; esac
    printf 'first line\\nrsync: \\033[31mno way\\n' >&2; exit 5`
  const env = await puppet(join(at.path, 'bin'), 'rsync', script, withVariables({}))
  expect((await at.apply([], { env })).exitCode).toBe(1)
  return at.run()
}

describe('logs', () => {
  test('of a run that failed: where they are, and what the tool said, safe for a terminal', async () => {
    await using at = await openCase({ tool: 'rsync', retries: { attempts: 2 } })
    const run = await failedRun(at)
    const stage = join(run, 'stages/data.copy')
    const [shard = ''] = await readdir(join(stage, 'work'))
    const log = (attempt: number): string => join(stage, 'work', shard, `${attempt}.log`)
    const listed = await say(at, 'logs')
    expect(listed.exitCode).toBe(0)
    expect(listed.stdout).toMatch(
      new RegExp(`^data\\.copy: in ${stage}\n  logs/local_0\\.log  [\\d.]+ k?i?B\n`),
    )
    expect(listed.stdout).toMatch(new RegExp(`^  work/${shard}/1\\.log  \\d+ B  failed$`, 'm'))
    expect(listed.stdout).toMatch(new RegExp(`^  work/${shard}/2\\.log  \\d+ B  done, 1 entry failed$`, 'm'))
    const id = run.split('/').at(-1) ?? ''
    const shown = await say(at, 'logs', id, 'data.copy')
    expect(shown.exitCode).toBe(0)
    expect(shown.stdout).toContain(`==> ${stage}/logs/local_0.log <==\n`)
    expect(shown.stdout).toContain(`==> ${log(2)} <==\nfirst line\n$'rsync: \\x1b[31mno way'\n`)
    expect(await say(at, 'logs', 'data.copy')).toEqual(shown)
    const last = await say(at, 'logs', id, 'data.copy', '--shard', shard, '--lines', '1')
    expect(last.stdout).toBe(
      [1, 2].map((attempt) => `==> ${log(attempt)} <==\n$'rsync: \\x1b[31mno way'\n`).join(''),
    )
  })

  test('of a run that went well: workers by name, shards by number', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await writeTree(at.from, { one: '1' })
    expect((await at.apply()).exitCode).toBe(0)
    const listed = await say(at, 'logs')
    expect(listed.stdout).toMatch(/^ {2}work\/SHARD\/ATTEMPT\.log {2}1 log of attempts that went well$/m)
    const shown = await say(at, 'logs', 'data.verify')
    expect(shown.stdout).toContain('logs/local_0.log <==\n')
    expect(shown.stdout).not.toMatch(/data.verify.work/)
  })

  test('what is not there is refused with what is', async () => {
    await using at = await openCase({ tool: 'rsync' })
    expect(await say(at, 'logs')).toMatchObject({ exitCode: 2 })
    await writeTree(at.from, { one: '1' })
    expect((await at.apply()).exitCode).toBe(0)
    const id = (await at.run()).split('/').at(-1) ?? ''
    const step = await say(at, 'logs', id, 'data.cpoy')
    expect(step).toMatchObject({ exitCode: 2, stdout: '' })
    expect(step.stderr).toContain(`error SX614: Run ${id} has no step data.cpoy\n`)
    expect(step.stderr).toContain('Its steps: data.copy, data.verify.')
    const shard = await say(at, 'logs', id, 'data.copy', '--shard', '99999')
    expect(shard.stderr).toContain('error SX614: Step data.copy has no shard 99999\n')
    expect((await say(at, 'logs', 'data.cpoy')).stderr).toContain(
      'error SX607: There is no run data.cpoy in ',
    )
    const job = await say(at, 'job', id, 'data')
    expect(job).toMatchObject({ exitCode: 0, stdout: '' })
  })

  test('a run on this machine has no job to wait for while it is not delivered', async () => {
    await using at = await openCase({ tool: 'rsync', retries: { attempts: 1 } })
    const id = (await failedRun(at)).split('/').at(-1) ?? ''
    const job = await say(at, 'job', id, 'data')
    expect(job).toMatchObject({ exitCode: 1, stdout: '' })
    expect(job.stderr).toContain(`error SX613: Nothing in the queue will deliver data of run ${id}\n`)
    expect(job.stderr).toContain('It is no run on Slurm: wait for the apply itself.')
  })
})
