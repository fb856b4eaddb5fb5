/** Rules about `slurm:` blocks and the environment of the jobs. */

import type { Diagnostic } from '../diagnostic.ts'
import type { Path } from './locate.ts'
import { didYouMean } from './nearest.ts'
import { parseDuration } from './quantities.ts'
import { errorOn, errorOnItem, type Rule, type Seen } from './rule.ts'
import { slurmStages } from './plan.ts'
import { extraOptions, ownOptions, shortOptions } from './sbatch-options.ts'
import { nameLooksSecret } from './secrets.ts'
import type { Finding } from './source.ts'
import type { WrittenSlurm } from './written.ts'

/** Every `slurm:` block of the plan: the plan's own, the transfers', and those of their stages. */
function slurmBlocks({
  written,
  transfers,
}: Seen): readonly { readonly path: Path; readonly block: WrittenSlurm }[] {
  return [
    ...(written.slurm === undefined ? [] : [{ path: ['slurm'], block: written.slurm }]),
    ...transfers.flatMap(({ name, written: { slurm } }) => {
      if (slurm === undefined) return []
      const path = ['transfers', name, 'slurm']
      const inner = slurmStages.flatMap((stage) => {
        const block = slurm[stage]
        return block === undefined ? [] : [{ path: [...path, stage], block }]
      })
      return [{ path, block: slurm }, ...inner]
    }),
  ]
}

export const extraOptionsAreAllowed: Rule = (seen) =>
  slurmBlocks(seen).flatMap(({ path, block }) =>
    (block.extra ?? []).flatMap((option) => {
      const finding = extraFinding(option)
      return finding === undefined ? [] : [errorOnItem(seen, [...path, 'extra'], option, finding)]
    }),
  )

function extraFinding(option: string): Finding | undefined {
  const short = shortOptions[/^-([A-Za-z])/.exec(option)?.[1] ?? '']
  const name = short ?? /^--([a-z][a-z0-9-]*)(?=[= ]|$)/.exec(option)?.[1]
  if (name === undefined) return notAllowed(option, `'${option}' is not an sbatch option in its long form`)
  if (Object.hasOwn(ownOptions, name)) return ownOption(name, ownOptions[name])
  if (!extraOptions.has(name))
    return notAllowed(name, `'--${name}' is not an sbatch option that a plan may add`)
  if (short === undefined && /^--[a-z0-9-]+(=|$)/.test(option)) return undefined
  return notAllowed(
    name,
    `'${option}' is not written as one word`,
    `Write --${name}=VALUE, or --${name} where it takes none.`,
  )
}

function ownOption(name: string, field: string | undefined): Finding {
  return {
    code: 'SX129',
    what: `soxplan sets '--${name}' itself`,
    todo:
      field === undefined
        ? 'Remove it: every job gets the value that the run needs.'
        : `Remove it, and write \`${field}:\` in the plan instead.`,
  }
}

function notAllowed(name: string, what: string, todo?: string): Finding {
  return {
    code: 'SX130',
    what,
    todo: todo ?? didYouMean(name, extraOptions, 'See docs/plan-file.md for the options that `extra` takes.'),
  }
}

/** Zero is "no limit" to Slurm, and jobs without a limit spoil its estimates for everybody. */
export const timeIsNotZero: Rule = (seen) =>
  slurmBlocks(seen).flatMap(({ path, block }) =>
    block.time === undefined || parseDuration(block.time) !== undefined
      ? []
      : [
          errorOn(seen, [...path, 'time'], {
            code: 'SX115',
            what: "'time' is zero",
            why: 'Slurm would take that for no limit at all.',
            todo: 'Write the longest time that one worker may take, such as 4:00:00; soxplan goes on in a new job after it.',
          }),
        ],
  )

/** `exclusive` stands in a transfer for convenience; twice and differently nobody could tell which counts. */
export const exclusiveIsSaidOnce: Rule = (seen) => {
  const places: readonly { path: Path; own?: boolean | undefined; slurm?: boolean | undefined }[] = [
    { path: [], own: seen.written.exclusive, slurm: seen.written.slurm?.exclusive },
    ...seen.transfers.map(({ name, written }) => ({
      path: ['transfers', name],
      own: written.exclusive,
      slurm: written.slurm?.exclusive,
    })),
  ]
  return places
    .filter(({ own, slurm }) => own !== undefined && slurm !== undefined && own !== slurm)
    .map(({ path }) =>
      errorOn(seen, [...path, 'exclusive'], {
        code: 'SX136',
        what: "'exclusive' is said twice, and differently",
        why: 'It also stands under `slurm` beside it.',
        todo: 'Remove one of the two.',
      }),
    )
}

const SCRUBBED = /^(SLURM|SBATCH|SQUEUE|SACCT|SCANCEL|SOXPLAN)_/

export const passedVariablesAreHarmless: Rule = (seen) =>
  (seen.written.environment?.pass ?? []).flatMap((name): readonly Diagnostic[] => {
    const finding = passFinding(name)
    return finding === undefined ? [] : [errorOnItem(seen, ['environment', 'pass'], name, finding)]
  })

function passFinding(name: string): Finding | undefined {
  if (SCRUBBED.test(name) || ['LC_ALL', 'TZ', 'TMPDIR'].includes(name)) {
    return {
      code: 'SX135',
      what: `'${name}' is not handed on to jobs`,
      why: 'soxplan and Slurm set it for every job themselves.',
      todo: 'Remove it from `pass`.',
    }
  }
  if (!nameLooksSecret(name)) return undefined
  return {
    code: 'SX135',
    what: `'${name}' looks like a secret and is not handed on to jobs`,
    why: "A job's environment can be read by others on the cluster.",
    todo: 'Keep the secret in a file on the shared file system that only you can read, and name that file by path.',
  }
}
