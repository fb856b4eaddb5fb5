import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { noLab, plannedGroundsOfLab } from './ground.ts'
import type { Ground } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']

describe.skipIf(noLab('Cancelling on Slurm'))('cancel and resume on Slurm', () => {
  const groundOf = plannedGroundsOfLab({ settings: { MessageTimeout: '3' } })

  const claimed = async (ground: Ground): Promise<boolean> =>
    (await ground.stageFiles(/copy\/work\/.*claim$/)).length > 0

  const runId = async (ground: Ground): Promise<string> => (await ground.newestRun()).split('/').at(-1) ?? ''

  test('a detached run: its jobs end, nothing is left in the queue, and resume finishes it', async () => {
    const ground = await groundOf('detached')
    const gate = await ground.gate()
    expect((await ground.soxplan([...apply, '--detach'], gate.env)).exitCode).toBe(4)
    await ground.lab.until('workers run', () => claimed(ground))
    const run = await runId(ground)
    const status = await ground.soxplan(['status'])
    expect(status.stdout).toMatch(
      new RegExp(`^Run ${run} of plan lab, on Slurm, since \\S+ \\S+Z: running\n`),
    )
    expect(status.stdout).toMatch(/^ {2}data\.verify: waiting for what is before it$/m)
    expect(status.stdout).toContain(`\`soxplan resume ${run}\` follows it, `)
    expect(status.exitCode).toBe(4)
    const cancelled = await ground.soxplan(['cancel', run, '--yes'])
    expect(cancelled.stdout).toContain(`Run ${run} of plan lab: 2 jobs in the queue.\n`)
    expect(cancelled.stdout).toContain(`Run ${run} is cancelled. What is proven is kept; `)
    expect(cancelled).toMatchObject({ exitCode: 0, stderr: 'Looking for half files and broken uploads …\n' })
    expect(await ground.queue()).toEqual([])
    await gate.open()
    const resumed = await ground.soxplan(['resume', run, '--yes'])
    expect(resumed.stderr).toMatch(
      new RegExp(`^Run ${run} of plan lab was cancelled by \\S+ on \\S+; going on`, 'm'),
    )
    expect(resumed.exitCode).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    expect(await ground.runs()).toHaveLength(1)
  })

  test('a run that somebody follows: the apply says who ended it', async () => {
    const ground = await groundOf('followed')
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await ground.lab.until('workers run', () => claimed(ground))
    const run = await runId(ground)
    expect(await ground.soxplan(['cancel', run, '--yes'])).toMatchObject({ exitCode: 0 })
    expect(await running.ended).toBe(1)
    expect(running.output()).toMatch(
      new RegExp(`^Run ${run} was cancelled by \\S+ on \\S+\\. What is proven is kept; `, 'm'),
    )
    expect(await ground.queue()).toEqual([])
    expect(await readdir(ground.in('.soxplan'))).toEqual(['.gitignore', 'runs'])
    await gate.open()
    // The same plan goes on with it, too.
    expect((await ground.apply()).stderr).toMatch(
      /was cancelled by .*; going on with what has no proof yet \(--new starts another\)\.$/m,
    )
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a driver killed between two sbatch calls: jobs nobody recorded are found by name and ended', async () => {
    const ground = await groundOf('orphans')
    const gate = await ground.gate()
    const running = ground.begin(apply, gate.env)
    await ground.lab.until('something is submitted', async () => (await ground.queue()).length > 0)
    running.child.kill('SIGKILL')
    await running.ended
    const run = await runId(ground)
    expect(await ground.soxplan(['cancel', run, '--yes'])).toMatchObject({ exitCode: 0 })
    expect(await ground.queue()).toEqual([])
    await gate.open()
  })

  test('a controller that is frozen: nothing is said to have ended, and the next cancel ends it', async () => {
    const ground = await groundOf('frozen')
    const gate = await ground.gate()
    expect((await ground.soxplan([...apply, '--detach'], gate.env)).exitCode).toBe(4)
    await ground.lab.until('workers run', () => claimed(ground))
    const run = await runId(ground)
    ground.lab.ctld.freeze()
    const status = await ground.soxplan(['status'])
    expect(status.stdout).toContain(': unknown: squeue does not answer\n')
    expect(status.exitCode).toBe(4)
    const silent = await ground.soxplan(['cancel', run, '--yes']).finally(() => {
      ground.lab.ctld.thaw()
    })
    expect(silent.stdout).toBe(`Run ${run} of plan lab: squeue does not say what of it still runs.\n`)
    expect(silent.stderr).toContain(
      'error SX501: The Slurm controller does not say whether jobs of this run are left\n',
    )
    expect(silent.exitCode).toBe(1)
    expect(await ground.soxplan(['cancel', run, '--yes'])).toMatchObject({ exitCode: 0 })
    expect(await ground.queue()).toEqual([])
    await gate.open()
  })
})
