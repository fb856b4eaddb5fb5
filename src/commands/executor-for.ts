/** The executor that a run was planned for. */

import type { RunPaths } from '../edge/run-folder.ts'
import { createLocalExecutor } from '../executor/local.ts'
import { createSlurmExecutor } from '../executor/slurm/slurm.ts'
import type { Step } from '../graph/step.ts'
import type { Executor } from '../run/executor.ts'
import type { RunRecord } from '../run/record.ts'
import type { CommandIo } from './io.ts'
import { bucketOf, pause } from './tick.ts'

export function executorFor(record: RunRecord, paths: RunPaths, io: CommandIo): Executor {
  const common = {
    env: io.env,
    environmentPass: record.environmentPass,
    stageFolder: (step: Step) => paths.stage(step),
    scriptPath: (step: Step) => paths.script(step),
  }
  if (record.executor === 'local') return createLocalExecutor(common)
  const bucket = bucketOf(io.env)
  return createSlurmExecutor({
    ...common,
    ...(bucket === undefined ? {} : { bucket }),
    run: record.run,
    sleep: pause,
    interrupt: io.interrupt,
    notify: (line) => {
      io.stderr(`${line}\n`)
    },
  })
}
