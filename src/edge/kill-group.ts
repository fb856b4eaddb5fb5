/** Ends a process together with everything that it has started. */

import { isErrno } from './files.ts'

/** KILL for the process group that `pid` leads. A group that has ended already, or never began, is fine. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}
