/** Fake Slurm commands that stand first on PATH: they can be slow, noisy, wrong or passed through. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ShimBehaviour {
  /** Wait this long first. */
  readonly delaySeconds?: number
  /** Printed before anything else, such as a site's banner. */
  readonly stdout?: string
  readonly stderr?: string
  /** Whether the real command runs. Default: yes, unless there is an `exitCode`. */
  readonly pass?: boolean
  /** The exit code, whatever the real command said. */
  readonly exitCode?: number
  /** Only the first so many calls behave like this, all later ones are passed through. Default: all. */
  readonly times?: number
}

export interface Shim {
  /** The environment of the lab with the folder of all its shims first on PATH. */
  readonly env: NodeJS.ProcessEnv
  /** The arguments of every call so far, in order. */
  calls(): Promise<readonly (readonly string[])[]>
  /** The real command is back. */
  remove(): Promise<void>
}

/**
 * Puts a fake `command` into `folder`. `real` is the full path of the true one.
 * All shims of a folder work together, for whoever runs with the `env` of any of them.
 */
export async function makeShim(
  folder: string,
  command: string,
  real: string,
  behaviour: ShimBehaviour,
  env: NodeJS.ProcessEnv,
): Promise<Shim> {
  const records = join(folder, `.${command}`)
  await rm(records, { recursive: true, force: true })
  await mkdir(records, { recursive: true })
  const file = join(folder, command)
  await writeFile(file, shimText(real, records, behaviour), { mode: 0o755 })
  return {
    env: { ...env, PATH: `${folder}:${env['PATH'] ?? ''}` },
    calls: async () => {
      const numbers = (await readdir(records)).map(Number).sort((a, b) => a - b)
      return Promise.all(numbers.map((number) => readCall(join(records, String(number), 'argv'))))
    },
    remove: () => rm(file, { force: true }),
  }
}

async function readCall(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8')
  return text === '' ? [] : text.split('\0').slice(0, -1)
}

function shimText(real: string, records: string, behaviour: ShimBehaviour): string {
  const { delaySeconds = 0, stdout = '', stderr = '', exitCode, times } = behaviour
  const pass = behaviour.pass ?? exitCode === undefined
  return `#!/usr/bin/env bash
# Whether Slurm would take a job is a question and no submission.
[[ $1 != --test-only ]] || exec ${quote(real)} "$@"
# A call takes its number by making a folder, which works for one of two calls at the same time only.
call=1
until mkdir ${quote(records)}/$call 2>/dev/null; do call=$((call + 1)); done
[ $# -eq 0 ] || printf '%s\\0' "$@" >${quote(records)}/$call/argv.new
[ $# -ne 0 ] || : >${quote(records)}/$call/argv.new
mv ${quote(records)}/$call/argv.new ${quote(records)}/$call/argv
${times === undefined ? '' : `[ $call -le ${times} ] || exec ${quote(real)} "$@"`}
sleep ${delaySeconds}
printf %s ${quote(stdout)}
printf %s ${quote(stderr)} >&2
${pass ? `${quote(real)} "$@"` : ':'}
exit ${exitCode ?? '$?'}
`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
