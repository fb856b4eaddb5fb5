/** A transfer as a plan of few words makes it, for tests of what stands behind the plan: they say only what matters there. */

import type { SlurmOptions, Transfer } from '../../src/plan/plan.ts'

const slurm: SlurmOptions = { requeue: true, extra: [] }

/** Every field the plan does not name has the plan's own default, but for one node. */
export function plainTransfer(given: Pick<Transfer, 'name' | 'from' | 'to'> & Partial<Transfer>): Transfer {
  return {
    toIsDirectory: false,
    tool: 'auto',
    existing: 'update',
    compare: 'auto',
    verify: 'auto',
    where: 'slurm',
    nodes: 1,
    include: [],
    exclude: [],
    options: {},
    onChange: 'refuse',
    followDestinationLinks: false,
    after: [],
    afterJobs: [],
    attempts: 3,
    slurm: { copy: slurm, fixup: slurm, verify: slurm, prune: slurm, directories: slurm },
    ...given,
  }
}
