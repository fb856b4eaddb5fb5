/** Steps for tests of what stands behind the graph: only what matters there is given. */

import { stepId } from '../../src/graph/build.ts'
import type { PlannedTransfer } from '../../src/graph/build.ts'
import type { Step } from '../../src/graph/step.ts'
import type { Transfer } from '../../src/plan/plan.ts'
import type { Shard } from '../../src/shard/shard.ts'
import { transferName } from '../../src/units.ts'
import type { StepId } from '../../src/units.ts'
import { plainTransfer } from '../rig/transfer.ts'

export function transfer(name: string, change: Partial<Transfer> = {}): Transfer {
  return plainTransfer({
    name: transferName(name),
    from: { kind: 'local', path: `/from/${name}` },
    to: { kind: 'local', path: `/to/${name}` },
    nodes: 4,
    ...change,
  })
}

export function shard(id: string, files = 1, bytes = 10): Shard {
  return { id, files, directories: 0, symlinks: 0, bytes, costSeconds: 1, units: 1, hasHardLinks: false }
}

export function planned(
  name: string,
  shards: number,
  change: Partial<Transfer> = {},
  proof: Step['proof'] = 'size+mtime',
): PlannedTransfer {
  const version = { tool: 'rsync', path: '/usr/bin/rsync', text: '3.2.7', major: 3, minor: 2 } as const
  return {
    transfer: transfer(name, change),
    tool: { name: 'rsync', version, reason: 'chosen by the test' },
    proof,
    stages: stagesOf(
      Array.from({ length: shards }, (_, index) => shard(String(index).padStart(5, '0'))),
      proof,
    ),
  }
}

/** Copy and verify, as a transfer between disks has them. */
export function stagesOf(
  shards: readonly Shard[],
  proof: Step['proof'] = 'size+mtime',
): PlannedTransfer['stages'] {
  const balance = { meanSeconds: 1, maxSeconds: 1, ratio: 1 }
  const kinds = proof === 'none' ? (['copy'] as const) : (['copy', 'verify'] as const)
  return kinds.map((stage) => ({ stage, shards, balance }))
}

export const id = (text: string): StepId => {
  const [name = '', stage] = text.split('.')
  return stepId(transferName(name), stage === 'verify' ? 'verify' : 'copy')
}
