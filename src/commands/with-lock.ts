/** Does one thing at a time in a state folder. */

import type { Result } from '../diagnostic.ts'
import { ok } from '../diagnostic.ts'
import { takeLock } from '../edge/lock.ts'
import type { CommandIo } from './io.ts'

/**
 * Takes the lock, does `work`, releases it. Whoever loses the lock on the way is interrupted as by Ctrl-C: jobs go on,
 * workers on this machine are stopped. Fails SX601.
 */
export async function withLock<T>(
  stateDir: string,
  io: CommandIo,
  work: (io: CommandIo) => Promise<T>,
): Promise<Result<T>> {
  const lock = await takeLock(stateDir, io.now)
  if (!lock.ok) return lock
  const { lost } = lock.value
  lost.addEventListener('abort', () => {
    io.stderr(`The lock of ${stateDir} is not ours any more (force-unlock); leaving.\n`)
  })
  try {
    return ok(await work({ ...io, interrupt: AbortSignal.any([io.interrupt, lost]) }))
  } finally {
    await lock.value.release()
  }
}
