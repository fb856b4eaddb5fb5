/** How often a shard is tried: failures have causes, and each cause has a budget of its own. */

/** A service that asks for fewer requests is asked again this often at least, after pauses that grow up to two minutes. */
const THROTTLED_ATTEMPTS_MIN = 8

/** The exit code of an attempt that a service answered with a request for fewer; the worker script sets it. */
const THROTTLED_EXIT = 69

/** Exit codes of what no further attempt mends: an end that may not be looked at, keys that a service does not take. */
const LASTING_EXITS: readonly number[] = [76, 78]

/** Attempts that may end throttled, of a shard whose plan allows `attempts` that fail otherwise. */
export function throttledAttempts(attempts: number): number {
  return Math.max(THROTTLED_ATTEMPTS_MIN, attempts)
}

/**
 * Whether a shard is not tried any more, as its workers see it. Attempts that ended with their worker, fenced or
 * released, are in no budget: a lost node or a preemption is not the shard's fault.
 *
 * @param exits exit codes of the attempts that failed
 * @param attempts the plan's
 */
export function isSpent(exits: readonly number[], attempts: number): boolean {
  const throttled = exits.filter((exit) => exit === THROTTLED_EXIT).length
  return (
    exits.some((exit) => LASTING_EXITS.includes(exit)) ||
    exits.length - throttled >= attempts ||
    throttled >= throttledAttempts(attempts)
  )
}
