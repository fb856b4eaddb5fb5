import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSlurmExecutor } from '../../src/executor/slurm/slurm.ts'
import { buildGraph } from '../../src/graph/build.ts'
import type { Step } from '../../src/graph/step.ts'
import type { SlurmOptions, Transfer } from '../../src/plan/plan.ts'
import type { Executor } from '../../src/run/executor.ts'
import type { RunId } from '../../src/units.ts'
import { planned } from '../graph/steps.ts'
import { whyNoLab } from '../lab/available.ts'
import { startLab } from '../lab/lab.ts'
import type { Lab } from '../lab/lab.ts'
import { tempFolder } from '../rig/folder.ts'
import type { TempFolder } from '../rig/folder.ts'

/** Options of the copy; the other stages have none. */
function optionsOf(copy: SlurmOptions): Transfer['slurm'] {
  const plain = { requeue: true, extra: [] }
  return { copy, fixup: plain, verify: plain, prune: plain, directories: plain }
}

const reason = whyNoLab()
if (reason !== undefined) console.warn(`The Slurm executor is not tested: ${reason}`)

describe.skipIf(reason !== undefined)('Slurm as an executor', () => {
  let lab: Lab
  let temp: TempFolder
  beforeAll(async () => {
    lab = await startLab()
    temp = await tempFolder()
  })
  afterAll(async () => {
    await temp[Symbol.asyncDispose]()
    await lab.close()
  })

  let runs = 0
  /** An executor for a run of its own, whose every stage runs `script`. */
  const executorFor = async (
    steps: readonly Step[],
    script: string,
    env: NodeJS.ProcessEnv = lab.env,
  ): Promise<{ executor: Executor; run: RunId; folder: string }> => {
    runs += 1
    const run = `20261122-21000${runs}-abcd` as RunId
    const folder = path.join(temp.path, run)
    for (const step of steps) {
      await mkdir(path.join(folder, step.id, 'logs'), { recursive: true })
      await writeFile(path.join(folder, step.id, 'script.sh'), `#!/bin/bash\n${script}\n`)
    }
    const executor = createSlurmExecutor({
      run,
      env,
      environmentPass: ['SOX_TEST_PASSED'],
      stageFolder: (step) => path.join(folder, step.id),
      scriptPath: (step) => path.join(folder, step.id, 'script.sh'),
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      interrupt: new AbortController().signal,
      notify: () => undefined,
    })
    return { executor, run, folder }
  }

  const steps = (change: Parameters<typeof planned>[2] = {}): readonly [Step, Step] => {
    const [copy, verify] = buildGraph([planned('data', 3, change)], (transfer) => transfer.nodes).steps
    if (copy === undefined || verify === undefined) throw new Error('two steps')
    return [copy, verify]
  }

  const submitted = async (
    executor: Executor,
    step: Step,
    after: readonly string[] = [],
  ): Promise<string> => {
    executor.nameOf(step)
    const answer = await executor.submit(step, after)
    if (!answer.ok) throw new Error(JSON.stringify(answer.error))
    return answer.value
  }

  test('nothing runs before the release, and the next stage starts behind task 0', async () => {
    const [copy, verify] = steps()
    const { executor, run, folder } = await executorFor(
      [copy, verify],
      'touch "started.$SLURM_ARRAY_TASK_ID"',
    )
    const first = await submitted(executor, copy)
    const second = await submitted(executor, verify, [first])
    const look = async (ticket: string): Promise<unknown> =>
      (await executor.look([first, second])).get(ticket)
    expect(await look(first)).toEqual({ phase: 'held' })
    const shown = await lab.scontrol('show', 'job', second)
    expect(shown).toContain(`Dependency=afterok:${first}_0(unfulfilled)`)
    expect(shown).toContain(`JobName=sox-${run}-data.verify`)
    expect(shown).toContain('Requeue=1')
    expect(await executor.release([first])).toEqual({ ok: true, value: undefined })
    await lab.until('both stages are over', async () => {
      const seen = await executor.look([first, second])
      return [...seen.values()].every(({ phase }) => phase === 'gone')
    })
    for (const task of [0, 1, 2])
      expect(await readFile(path.join(folder, verify.id, `started.${task}`), 'utf8')).toBe('')
  })

  test('resources of the plan arrive as asked, and a job sees no variable that was not named', async () => {
    const [copy] = steps({
      slurm: optionsOf({ requeue: false, extra: [], cpus: 8, memory: '1G', nice: 5 }),
    })
    const env = {
      ...lab.env,
      SBATCH_ARRAY_INX: '7-9',
      SBATCH_JOB_NAME: 'other',
      AWS_SECRET_ACCESS_KEY: 'secret',
      SOX_TEST_PASSED: 'a,b',
    }
    const { executor, folder } = await executorFor([copy], 'env > "env.$SLURM_ARRAY_TASK_ID"', env)
    const ticket = await submitted(executor, copy)
    const shown = await lab.scontrol('show', 'job', ticket)
    expect(shown).toMatch(/ArrayTaskId=0-2\b/)
    expect(shown).toContain('CPUs/Task=8')
    expect(shown).toContain('Requeue=0')
    expect(shown).toContain('TimeLimit=1-00:00:00')
    await executor.release([ticket])
    await lab.until(
      'the stage is over',
      async () => (await executor.look([ticket])).get(ticket)?.phase === 'gone',
    )
    const seen = await readFile(path.join(folder, copy.id, 'env.1'), 'utf8')
    expect(seen).toContain('SOX_TEST_PASSED=a,b\n')
    expect(seen).not.toContain('secret')
  })

  test('cancel leaves nothing of a run in the queue, held stages included', async () => {
    const [copy, verify] = steps()
    const { executor } = await executorFor([copy, verify], 'sleep 300')
    const first = await submitted(executor, copy)
    await submitted(executor, verify, [first])
    await executor.release([first])
    await lab.until('workers run', async () => (await executor.look([first])).get(first)?.phase === 'running')
    expect(await executor.cancel()).toEqual({ ok: true, value: undefined })
    expect(await lab.squeue('--noheader')).toBe('')
  })

  test('a refusal says what to mend', async () => {
    const [copy] = steps({
      slurm: optionsOf({ requeue: true, extra: [], partition: 'nowhere' }),
    })
    const { executor } = await executorFor([copy], 'true')
    executor.nameOf(copy)
    expect(await executor.submit(copy, [])).toEqual({
      ok: false,
      error: [
        {
          code: 'SX510',
          severity: 'error',
          what: 'Slurm does not know this partition',
          why: 'sbatch said: sbatch: error: invalid partition specified: nowhere',
          todo: 'Write one of those that `sinfo --summarize` lists under `slurm: partition`.',
        },
      ],
    })
  })

  test('a controller that is silent makes a look unknown, not gone', async () => {
    const [copy] = steps()
    const { executor } = await executorFor([copy], 'true')
    const ticket = await submitted(executor, copy)
    const silent = await lab.shim('squeue', {
      exitCode: 1,
      stderr: 'slurm_load_jobs error: Unable to contact slurm controller\n',
    })
    const blind = await executorFor([copy], 'true', silent.env)
    blind.executor.nameOf(copy)
    expect((await blind.executor.look([ticket])).get(ticket)).toEqual({ phase: 'unknown' })
    await silent.remove()
    await executor.cancel()
  })

  test('a job that Slurm took although sbatch failed is adopted, not submitted again', async () => {
    const [copy] = steps()
    const shim = await lab.shim('sbatch', {
      pass: true,
      exitCode: 1,
      stderr: 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n',
    })
    const { executor, run } = await executorFor([copy], 'true', shim.env)
    const ticket = await submitted(executor, copy)
    expect(await lab.squeue('--noheader', `--name=sox-${run}-data.copy`, '--format=%F')).toBe(ticket)
    expect(await shim.calls()).toHaveLength(1)
    await shim.remove()
    await executor.cancel()
  })

  test('a banner around the id does not matter', async () => {
    const [copy] = steps()
    const shim = await lab.shim('sbatch', {
      pass: true,
      stdout: 'Welcome to cluster3\n',
      stderr: 'sbatch: warning: be nice\n',
    })
    const { executor } = await executorFor([copy], 'true', shim.env)
    const ticket = await submitted(executor, copy)
    expect((await executor.look([ticket])).get(ticket)).toEqual({ phase: 'held' })
    await shim.remove()
    await executor.cancel()
  })
})
