/** What a Slurm command said when it refused, and what to do about it. */

import type { Diagnostic } from '../../diagnostic.ts'
import type { ProcessFailure } from '../../edge/process.ts'
import { Bug } from '../../units.ts'

interface Known {
  readonly pattern: RegExp
  readonly code: string
  readonly what: string
  readonly todo: string
}

/** A controller that is down, frozen or out of reach (Slurm 22.05: exit code 1 after 9 or 10 seconds). */
const silence =
  /Unable to contact slurm controller|Socket timed out|Connection (refused|reset|timed out)|Zero Bytes were transmitted|Slurm backup controller in standby/i

/** True when nobody can tell whether the command had its effect. */
export function isSilence(failure: ProcessFailure): boolean {
  return failure.kind === 'timeout' || failure.kind === 'signal' || silence.test(failure.stderr)
}

/** Texts of Slurm 22.05, all of which come with exit code 1. */
const known: readonly Known[] = [
  {
    pattern: silence,
    code: 'SX501',
    what: 'The Slurm controller does not answer',
    todo: 'Try again when `scontrol ping` says UP, or use --executor local on purpose.',
  },
  {
    pattern: /invalid partition/i,
    code: 'SX510',
    what: 'Slurm does not know this partition',
    todo: 'Write one of those that `sinfo --summarize` lists under `slurm: partition`.',
  },
  {
    pattern: /Invalid account|Invalid qos/i,
    code: 'SX511',
    what: 'Slurm does not accept this account, QOS or partition for you',
    todo: 'See `sacctmgr show associations user=$USER`, and set `slurm: account` and `qos` to one of those.',
  },
  {
    pattern:
      /node configuration is not available|More processors requested|Memory specification can not be satisfied/i,
    code: 'SX512',
    what: 'No node of this partition can give what one worker asks for',
    todo: 'Lower `cpus` or `memory` under `slurm:`; `sinfo --format="%P %c %m %f"` shows what nodes have.',
  },
  {
    pattern: /MaxSubmitJobLimit|QOSMaxSubmit|Job violates accounting/i,
    code: 'SX513',
    what: 'A submit limit of your account is reached',
    todo: 'Wait until other jobs of yours have ended, or lower `nodes`.',
  },
  {
    pattern: /Invalid job array specification/i,
    code: 'SX515',
    what: 'Slurm does not take an array with that many workers here',
    todo: 'Lower `nodes` below what `scontrol show config | grep MaxArraySize` says.',
  },
  {
    pattern: /Invalid (feature|license) specification|Invalid generic resource|reservation is invalid/i,
    code: 'SX516',
    what: 'Slurm does not know this constraint, licence, gres or reservation',
    todo: 'Correct the field under `slurm:`; `sinfo --format="%P %f %G"`, `scontrol show licenses` and `scontrol show reservations` list what there is.',
  },
  {
    pattern: /Requested time limit is invalid/i,
    code: 'SX514',
    what: 'The time limit is longer than the partition allows',
    todo: 'Lower `time` under `slurm:`; a transfer may take longer than one job, its workers requeue themselves.',
  },
]

/** The words for what Slurm would refuse, where we know it before Slurm does. @throws Bug for a code that is not above. */
export function knownRefusal(code: string): Pick<Known, 'code' | 'what' | 'todo'> {
  const found = known.find((one) => one.code === code)
  if (found === undefined) throw new Bug(`no refusal has the code ${code}`)
  return found
}

/** The first line that Slurm printed is quoted as the reason; nothing it says is evaluated. */
export function refusal(command: string, failure: ProcessFailure): Diagnostic {
  const said = failure.stderr.split('\n').find((line) => line.trim() !== '')
  const match = known.find(({ pattern }) => pattern.test(failure.stderr))
  const why =
    said === undefined
      ? `${command} ended with ${failure.kind} ${failure.exitCode ?? ''}`.trim()
      : `${command} said: ${said.trim()}`
  if (failure.kind === 'missing') {
    return {
      code: 'SX502',
      severity: 'error',
      what: `${failure.argv[0]} is not on PATH`,
      todo: 'Load the Slurm module or add its folder to PATH, or use --executor local on purpose.',
    }
  }
  if (failure.kind === 'timeout') {
    return {
      code: 'SX501',
      severity: 'error',
      what: 'The Slurm controller does not answer',
      why,
      todo: 'Apply again: what was handed over is found by its name.',
    }
  }
  const { code, what, todo } = match ?? {
    code: 'SX500',
    what: `${command} was refused`,
    todo: 'Mend what Slurm says above in the plan under `slurm:`, then apply again. Nothing has been moved.',
  }
  return { code, severity: 'error', what, why, todo }
}
