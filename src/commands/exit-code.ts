/** Exit codes, documented once and never changed (DESIGN §7). */
export const ExitCode = {
  /** Delivered and proven as asked, or nothing to do. */
  ok: 0,
  /** Something failed or is not proven. */
  failed: 1,
  /** Usage or plan error, or "no" at the prompt. */
  usage: 2,
  /** Left to Slurm, still running. */
  detached: 4,
  interrupted: 130,
} as const
