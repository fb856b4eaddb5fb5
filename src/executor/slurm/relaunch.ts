/** Workers that a node could not start: Slurm drains such a node, and holds the worker until somebody lets it go. */

import { launchFailed } from '../../run/executor.ts'
import type { Call, Queue } from './queue.ts'

/** A worker that so many nodes could not start is not let go any more: then it is hardly the nodes. */
const RELAUNCHES_MAX = 3

/** Releases each held worker of the run, for a node that is not drained, and says so. */
export function relauncher(call: Call, queue: Queue, notify: (line: string) => void): () => Promise<void> {
  const times = new Map<string, number>()
  return async () => {
    const rows = (await queue()) ?? []
    for (const { arrayId, tasks, reason, name } of rows) {
      const worker = `${arrayId}_${tasks}`
      const before = times.get(worker) ?? 0
      if (reason !== launchFailed || before >= RELAUNCHES_MAX) continue
      times.set(worker, before + 1)
      const answer = await call(['scontrol', 'release', worker])
      if (answer.ok)
        notify(
          `A node could not start worker ${worker} (${name}), and Slurm held it: it is let go for another node. \`sinfo --list-reasons\` shows that node.`,
        )
    }
  }
}
