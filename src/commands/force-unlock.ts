/** `soxplan force-unlock ID`: removes the lock of a soxplan that is gone. */

import path from 'node:path'
import { forceUnlock, silenceMillis } from '../edge/lock.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'
import { printDiagnostics } from './load-plan.ts'

export interface UnlockFlags {
  readonly state?: string
}

/** Exit codes: 0 there is no such lock any more, 1 its holder lives or it is another one, 130 interrupted. */
export async function forceUnlockCommand(id: string, flags: UnlockFlags, io: CommandIo): Promise<number> {
  const stateDir = path.resolve(io.cwd, flags.state ?? io.env['SOXPLAN_STATE'] ?? '.soxplan')
  const unlocked = await forceUnlock(stateDir, id, {
    silenceMillis,
    interrupt: io.interrupt,
    onListening: () => {
      io.stderr('Listening for its holder on the other machine …\n')
    },
  }).catch((error: unknown) => {
    if (!io.interrupt.aborted) throw error
    return undefined
  })
  if (unlocked === undefined) return ExitCode.interrupted
  if (!unlocked.ok) {
    printDiagnostics(unlocked.error, id, io)
    return ExitCode.failed
  }
  io.stdout(
    unlocked.value === undefined
      ? `There is no lock ${id} in ${stateDir}.\n`
      : `The lock of process ${unlocked.value.pid} of ${unlocked.value.who} is gone. What that process had started is found by \`soxplan apply\` or \`resume\`.\n`,
  )
  return ExitCode.ok
}
