/** An apply that stands in the middle of its copy for as long as a test wants. */

import { join } from 'node:path'
import { puppet } from '../rig/puppet.ts'
import { isThere, realProgram, until, withVariables, type Case, type Running } from './case.ts'

/** rsync of which so many calls go through, and every later one touches `waits` and then waits until `go` is there. */
export async function stuckRsync(
  at: Case,
  calls = 0,
  more: NodeJS.ProcessEnv = {},
): Promise<NodeJS.ProcessEnv> {
  const real = await realProgram('rsync')
  const script = `
    case "$1" in --version) exec ${real} "$@" ;; esac
    echo >> ${at.path}/calls
    if (($(wc -l < ${at.path}/calls) > ${calls})); then touch ${at.path}/waits; until [[ -e ${at.path}/go ]]; do sleep 0.1; done; fi
    exec ${real} "$@"`
  return puppet(join(at.path, 'bin'), 'rsync', script, withVariables(more))
}

export async function applyUntilStuck(at: Case, env: NodeJS.ProcessEnv): Promise<Running> {
  const applying = at.start([], { env })
  await until(() => isThere(join(at.path, 'waits')))
  return applying
}
