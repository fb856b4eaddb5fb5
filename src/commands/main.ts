/** Wires the terminal to the verbs: arguments, signals, streams, and the one place where what was thrown becomes a message. */

import os from 'node:os'
import { isSystemError, systemReason } from '../edge/files.ts'
import { commandLine } from './command-line.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandIo } from './io.ts'

/** How long a second Ctrl-C within a run waits for the first to have its effect. */
const KEEP_RUNNING_HINT = 'Interrupted. Press Ctrl-C again to leave at once.\n'

export async function main(args: readonly string[], version: string, host: NodeJS.Process): Promise<number> {
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) host.exit(ExitCode.interrupted)
    host.stderr.write(KEEP_RUNNING_HINT)
    interrupt.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) host.on(signal, onSignal)
  // Whoever reads our output may stop reading (`| head`): that is no failure of the run.
  for (const stream of [host.stdout, host.stderr]) stream.on('error', () => undefined)
  const mayColour = !host.env['NO_COLOR'] && host.env['TERM'] !== 'dumb'
  const io: CommandIo = {
    stdout: (text) => {
      host.stdout.write(text)
    },
    stderr: (text) => {
      host.stderr.write(text)
    },
    cwd: host.cwd(),
    env: host.env,
    home: os.homedir(),
    stdin: host.stdin,
    isTerminal: host.stdin.isTTY && host.stderr.isTTY,
    isColour: host.stderr.isTTY && mayColour,
    isOutputColour: host.stdout.isTTY && mayColour,
    version,
    interrupt: interrupt.signal,
    now: () => new Date(),
  }
  try {
    return await commandLine(args, io)
  } catch (error) {
    return explain(error, io)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) host.off(signal, onSignal)
  }
}

/** A full disk is reported without a path, and what soxplan writes while a run goes on is nearly all in one place. */
const whereToLook =
  'Where no path is named, look at the state folder: .soxplan beside the plan, or what --state DIR, SOXPLAN_STATE or `state:` names; `soxplan plan` writes to TMPDIR.'

/** A full disk or a vanished folder is the system's, everything else is ours; neither shows a stack unless asked to. */
function explain(error: unknown, io: CommandIo): number {
  if (isSystemError(error)) {
    const where = error.path === undefined ? '' : ` (${error.path})`
    io.stderr(
      `error SX603: The file system refused: ${systemReason(error)}${where}\n  ${whereToLook}\n  Mend that and run the same command again; what is proven is kept.\n`,
    )
    return ExitCode.failed
  }
  const message = error instanceof Error ? error.message : String(error)
  io.stderr(
    `error SX000: This is a bug in soxplan ${io.version}: ${message}\n  Please report it with the command and the plan; SOXPLAN_DEBUG=1 adds where it happened.\n`,
  )
  if (io.env['SOXPLAN_DEBUG'] === '1' && error instanceof Error) io.stderr(`${error.stack ?? ''}\n`)
  return ExitCode.failed
}
