/** What can be typed. Every verb is loaded when it is called, so that `--help` and `validate` start fast. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { addRunVerbs, SLOTS_MAX } from './command-line-runs.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'

type Variables = Readonly<Record<string, string>>

export async function commandLine(args: readonly string[], io: CommandIo): Promise<number> {
  let exitCode: number = ExitCode.ok
  const program = buildProgram(io, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
    throw error
  }
}

function buildProgram(io: CommandIo, done: (code: number) => void): Command {
  const program = new Command('soxplan')
    .description(
      'Plans bulk data transfers as balanced shards, runs them on Slurm, and proves that every file arrived.',
    )
    .version(io.version, '-V, --version')
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .exitOverride()
    .showHelpAfterError('(soxplan --help shows what can be typed)')
  // Sub-commands copy these settings when they are made, so they stand first.
  program
    .command('init')
    .description('write a commented first plan that validates')
    .argument('[file]', 'where to write it', 'plan.yaml')
    .action(async (file: string) => {
      const { initPlan } = await import('./init.ts')
      done(await initPlan(file, io))
    })
  withVariables(program.command('validate'))
    .description('check a plan without looking outside')
    .argument('<plan>', 'the plan file')
    .action(async (file: string, flags: { var: Variables }) => {
      const { validatePlan } = await import('./validate.ts')
      done(await validatePlan(file, { vars: flags.var }, io))
    })
  withPlanFlags(program.command('plan'))
    .description('show what would move, in which shards, how long; nothing moves')
    .option('--json', 'the preview as JSON on stdout')
    .option('--scripts <dir>', 'write the scripts and lists that apply would run into a new folder')
    .option('--detailed-exitcode', '0 nothing to do, 2 work to do, 1 error')
    .action(
      async (
        file: string,
        flags: PlanFlags & { json?: boolean; scripts?: string; detailedExitcode?: boolean },
      ) => {
        const { planCommand } = await import('./plan.ts')
        done(await planCommand(file, { ...flags, vars: flags.var }, io))
      },
    )
  withPlanFlags(program.command('apply'))
    .description('move it: asks first, shows progress, proves every file')
    .option('--yes', 'do not ask')
    .option('--new', 'do not resume an unfinished run of this plan, start another')
    .option('--detach', 'on Slurm: hand everything over and leave (exit code 4)')
    .option(
      '--partial-submit',
      'with --detach: leave although a submit limit keeps some stages out of the queue',
    )
    .option('--no-probe', 'on Slurm: do not ask a node first whether it has what the plan takes')
    .action(
      async (
        file: string,
        flags: PlanFlags & {
          yes?: boolean
          new?: boolean
          detach?: boolean
          partialSubmit?: boolean
          probe?: boolean
        },
      ) => {
        const { applyCommand } = await import('./apply.ts')
        done(await applyCommand(file, { ...flags, vars: flags.var }, io))
      },
    )
  addRunVerbs(program, io, done, wholeNumberTo)
  addDoctor(program, io, done)
  return program
}

function addDoctor(program: Command, io: CommandIo, done: (code: number) => void): void {
  withVariables(program.command('doctor'))
    .description('look for what would stand in the way: tools, keys, places, Slurm; nothing moves')
    .argument('[plan]', 'the plan file; without one, what any plan may need')
    .option('--state <dir>', 'state folder instead of .soxplan beside the plan')
    .option('--json', 'the findings as JSON Lines on stdout')
    .option('--timeout <seconds>', 'how long one question may take', wholeNumberTo(TIMEOUT_SECONDS_MAX), 30)
    .option('--nodes', 'ask each node of the plan, too, with a small job that leaves nothing behind')
    .option('--wait <seconds>', 'how long nodes may take with that', wholeNumberTo(TIMEOUT_SECONDS_MAX), 120)
    .action(
      async (
        file: string | undefined,
        flags: {
          var: Variables
          state?: string
          json?: boolean
          timeout: number
          nodes?: boolean
          wait: number
        },
      ) => {
        const { doctorCommand } = await import('./doctor.ts')
        done(await doctorCommand(file, { ...flags, vars: flags.var }, io))
      },
    )
}

export interface PlanFlags {
  readonly var: Variables
  readonly executor: 'auto' | 'slurm' | 'local'
  readonly slots?: number
  readonly state?: string
  readonly confirm: readonly string[]
}

function withPlanFlags(command: Command): Command {
  return withVariables(command)
    .argument('<plan>', 'the plan file')
    .addOption(
      new Option('--executor <which>', 'where the workers run')
        .choices(['auto', 'slurm', 'local'])
        .default('auto'),
    )
    .option('--slots <n>', 'workers on this machine (local executor)', wholeNumberTo(SLOTS_MAX))
    .option('--state <dir>', 'state folder instead of .soxplan beside the plan')
    .option(
      '--confirm <transfer>',
      'all it deletes is meant, over maxDelete too; may be repeated',
      collect,
      [],
    )
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}

function withVariables(command: Command): Command {
  return command.option('--var <name=value>', 'set a variable of the plan; may be repeated', variable, {})
}

function variable(text: string, before: Variables): Variables {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('Write it as name=value.')
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) }
}

const TIMEOUT_SECONDS_MAX = 3600

function wholeNumberTo(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < 1 || value > max)
      throw new InvalidArgumentError(`Write a whole number from 1 to ${max}.`)
    return value
  }
}
