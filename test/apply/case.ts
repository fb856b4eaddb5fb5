/** One plan with one source and one destination in a temp folder, applied on this machine as a user does. */

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compareTrees } from '../rig/compare.ts'
import { tempFolder, type TempFolder } from '../rig/folder.ts'
import { pace } from '../rig/pace.ts'
import { plainEnvironment, SOXPLAN, type SoxplanResult } from '../rig/soxplan.ts'

/** Short beats and waits; a lease that a starved machine does not break. */
const FAST = pace(0.3, 40)

export const TOOLS = ['rsync', 'rclone'] as const

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Run as this user and group id; only root may. */
  readonly uid?: number
  readonly stdin?: string
  readonly cwd?: string
}

export interface Case extends TempFolder {
  readonly from: string
  readonly to: string
  readonly state: string
  /** `soxplan apply plan.yaml --executor local --slots 2 --yes ARGS`, to its end. */
  apply(args?: readonly string[], options?: StartOptions): Promise<SoxplanResult>
  /** The same, still running. */
  start(args?: readonly string[], options?: StartOptions): Running
  /** `soxplan plan plan.yaml --executor local ARGS`. */
  plan(args?: readonly string[], options?: StartOptions): Promise<SoxplanResult>
  /** Folder of the newest run. */
  run(): Promise<string>
}

export interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly ended: Promise<SoxplanResult>
}

/** `transfer` is laid over `from` and `to`; `more` are other fields of the plan. */
export async function openCase(
  transfer: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<Case> {
  const temp = await tempFolder()
  const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
  await mkdir(from)
  await writePlan(temp.path, { transfers: { data: { from, to, ...transfer } }, ...more })
  const start = (args: readonly string[], options: StartOptions = {}): Running =>
    startSoxplan(args, { cwd: temp.path, ...options })
  const local = ['--executor', 'local']
  const applying = ['apply', 'plan.yaml', ...local, '--slots', '2', '--yes']
  return {
    ...temp,
    from,
    to,
    state: join(temp.path, '.soxplan'),
    apply: (args = [], options) => start([...applying, ...args], options).ended,
    start: (args = [], options) => start([...applying, ...args], options),
    plan: (args = [], options) => start(['plan', 'plan.yaml', ...local, ...args], options).ended,
    run: () => newestRun(join(temp.path, '.soxplan')),
  }
}

/** JSON is YAML, and its strings hold any character. */
export async function writePlan(folder: string, plan: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(join(folder, 'plan.yaml'), JSON.stringify({ version: 1, name: 'case', ...plan }))
}

export async function newestRun(state: string): Promise<string> {
  const runs = await readdir(join(state, 'runs'))
  return join(state, 'runs', runs.sort().at(-1) ?? '')
}

export function startSoxplan(
  args: readonly string[],
  options: StartOptions & { readonly cwd: string },
): Running {
  const { env = plainEnvironment(), uid, stdin = '', cwd } = options
  const argv = [...SOXPLAN, ...args]
  const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
  const [program = '', ...rest] = [...as, ...argv]
  const child = spawn(program, rest, { cwd, env: { ...FAST, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<SoxplanResult>((resolve) =>
    child.once('close', (code, signal) => {
      resolve({ exitCode: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], stdout, stderr })
    }),
  )
  return { child, pid: child.pid ?? 0, ended }
}

/** The environment of `case.apply` without FAST, which every start adds. */
export function withVariables(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return plainEnvironment(more)
}

/** The last lines of what a run printed, without the empty one. */
export function lastLines(text: string, count: number): readonly string[] {
  return text.trimEnd().split('\n').slice(-count)
}

/** Processes of which the command line or the environment names `text`: none may be left of a run in that folder. */
export async function processesOf(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [line, cwd] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
        readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
      ])
      return line.includes(text) || cwd.includes(text) ? [`${pid} ${line.replaceAll('\0', ' ')}`] : []
    }),
  )
  return found.flat()
}

/** Waits until `check` is true; the test's own time limit ends the wait. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20))
}

export async function isThere(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  )
}

/** The absolute path of a program on PATH, for a puppet that hands over to it. */
export async function realProgram(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', 'type -P -- "$1"', 'bash', name])
  return stdout.trim()
}

/**
 * Compares what an interrupted run left once it was finished. A killed rsync may leave a temporary file behind: never
 * under a name of the source, and nothing else is extra.
 */
export async function compareFinished(at: Case): Promise<readonly string[]> {
  const differences = await compareTrees(at.from, at.to, { mtimes: true })
  return differences.filter((line) => !/^extra: "(.*\/)?\.\w+\.\w{6}"$/.test(line))
}

/** The lines of the report that name entries. */
export function named(stdout: string): readonly string[] {
  const report = stdout.slice(stdout.lastIndexOf('\ndata: '))
  return report
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim())
    .sort()
}
