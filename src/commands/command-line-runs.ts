/** What can be typed about runs that are there already. */

import type { Command } from 'commander'
import type { CommandIo } from './io.ts'
import type { LogsFlags } from './logs.ts'

type Done = (code: number) => void
type WholeNumber = (max: number) => (text: string) => number

/** A thousand processes are more than any machine has use for. */
export const SLOTS_MAX = 1024
const LINES_MAX = 100_000

const STATE = 'state folder instead of .soxplan in this folder'

/** `wholeNumber` reads the value of an option that is a number, 1 up to `max`. */
export function addRunVerbs(program: Command, io: CommandIo, done: Done, wholeNumber: WholeNumber): void {
  addReaders(program, io, done, wholeNumber)
  withRun(program.command('resume'))
    .description('go on with what has no proof yet, from the run folder; follows jobs that live')
    .option('--yes', 'do not ask')
    .option('--detach', 'on Slurm: hand everything over and leave (exit code 4)')
    .option(
      '--partial-submit',
      'with --detach: leave although a submit limit keeps some stages out of the queue',
    )
    .option('--slots <n>', 'workers on this machine (local executor)', wholeNumber(SLOTS_MAX))
    .action(
      async (
        run: string,
        flags: { state?: string; yes?: boolean; detach?: boolean; partialSubmit?: boolean; slots?: number },
      ) => {
        const { resumeCommand } = await import('./resume.ts')
        done(await resumeCommand(run, flags, io))
      },
    )
  withRun(program.command('cancel'))
    .description('end all of a run, from any machine that sees its folder, and remove half files')
    .option('--yes', 'do not ask')
    .option('--keep', 'leave half files and broken uploads where they are')
    .action(async (run: string, flags: { state?: string; yes?: boolean; keep?: boolean }) => {
      const { cancelCommand } = await import('./cancel.ts')
      done(await cancelCommand(run, flags, io))
    })
  withRun(program.command('clean'))
    .description(
      'remove what a run left behind: half files, broken uploads, and the folder of a run that is over',
    )
    .option('--yes', 'do not ask')
    .option('--keep', 'leave the run folder where it is')
    .action(async (run: string, flags: { yes?: boolean; keep?: boolean; state?: string }) => {
      const { cleanCommand } = await import('./clean.ts')
      done(await cleanCommand(run, flags, io))
    })
  program
    .command('force-unlock')
    .description('remove the lock of a soxplan that is gone, after listening whether it lives')
    .argument('<id>', 'the id of the lock, as the refusal names it')
    .option('--state <dir>', STATE)
    .action(async (id: string, flags: { state?: string }) => {
      const { forceUnlockCommand } = await import('./force-unlock.ts')
      done(await forceUnlockCommand(id, flags, io))
    })
}

function addReaders(program: Command, io: CommandIo, done: Done, wholeNumber: WholeNumber): void {
  program
    .command('runs')
    .description('list the runs of a state folder, newest first')
    .option('--state <dir>', STATE)
    .option('--json', 'a JSON record per run, on a line each')
    .action(async (flags: { state?: string; json?: boolean }) => {
      const { runsCommand } = await import('./status.ts')
      done(await runsCommand(flags, io))
    })
  program
    .command('status')
    .description('how far a run is and what to do next; 0 delivered, 4 under way, 1 anything else')
    .argument('[run]', 'the id of the run, or its folder; without one, the newest')
    .option('--state <dir>', STATE)
    .option('--json', 'a JSON record for the run, each step and each transfer, on a line each')
    .action(async (run: string | undefined, flags: { state?: string; json?: boolean }) => {
      const { statusCommand } = await import('./status.ts')
      done(await statusCommand(run, flags, io))
    })
  program
    .command('logs')
    .description('where the logs of a run are; with a step, the end of those that tell what went wrong')
    .argument('[run]', 'the id of the run, or its folder; without one, the newest')
    .argument('[step]', 'such as dataset.copy')
    .option('--shard <id>', 'every attempt at this shard, and nothing else')
    .option('--lines <n>', 'of each log, the last so many (default: 40)', wholeNumber(LINES_MAX))
    .option('--state <dir>', STATE)
    .action(async (run: string | undefined, step: string | undefined, flags: LogsFlags) => {
      const { logsCommand } = await import('./logs.ts')
      done(await logsCommand(run, step, flags, io))
    })
  program
    .command('job')
    .description('the id to wait for: sbatch --dependency=afterok:$(soxplan job RUN TRANSFER) …')
    .argument('<run>', 'the id of the run, or its folder')
    .argument('<transfer>', 'its name in the plan')
    .option('--state <dir>', STATE)
    .action(async (run: string, transfer: string, flags: { state?: string }) => {
      const { jobCommand } = await import('./job.ts')
      done(await jobCommand(run, transfer, flags, io))
    })
}

function withRun(command: Command): Command {
  return command.argument('<run>', 'the id of the run, or its folder').option('--state <dir>', STATE)
}
