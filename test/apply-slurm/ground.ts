/** What every test of `apply` on Slurm stands on: a lab, a folder with a source and plans, and soxplan as a user types it. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Recorded } from '../../src/run/event.ts'
import { findProgram, whyNoLab } from '../lab/available.ts'
import { startLab } from '../lab/lab.ts'
import type { Lab, LabOptions } from '../lab/lab.ts'
import { tempFolder } from '../rig/folder.ts'
import type { TempFolder } from '../rig/folder.ts'
import { pace } from '../rig/pace.ts'
import { puppet } from '../rig/puppet.ts'
import { runSoxplan, SOXPLAN } from '../rig/soxplan.ts'
import type { SoxplanResult } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import type { TreeEntry } from '../rig/tree.ts'

/** Little data in many shards, and a pace at which a test does not wait. */
const PACE = {
  ...pace(0.5, 6),
  SOXPLAN_SHARD_SECONDS: '0.004',
  SOXPLAN_TICK_MILLIS: '300',
  SOXPLAN_NO_PROBE: '1',
}

/** True where there can be no lab; says why. */
export function noLab(what: string, options: { readonly accounting?: boolean } = {}): boolean {
  const reason = whyNoLab(options)
  if (reason !== undefined) console.warn(`${what} is not tested: ${reason}`)
  return reason !== undefined
}

/** Files with hostile names among many small ones and two big ones, links and an empty directory: 132 entries. */
export const skewed: readonly TreeEntry[] = [
  { kind: 'file', path: 'big/one', content: Buffer.alloc(2_000_000, 'soxplan') },
  { kind: 'file', path: 'big/two', content: Buffer.alloc(200_000, 'two') },
  ...Array.from({ length: 120 }, (_, n): TreeEntry => ({
    kind: 'file',
    path: `small/${n % 3}/f${n}`,
    content: `file ${n}`,
    mtime: 1_700_000_000 + n,
  })),
  { kind: 'file', path: `odd/ "it's\n$(touch X)" `, content: 'odd' },
  { kind: 'file', path: Buffer.from('odd/\xff\xfe', 'latin1'), content: 'bytes' },
  { kind: 'symlink', path: 'odd/-link', target: '../big/one' },
  { kind: 'directory', path: 'empty' },
]

export interface PlanFields {
  readonly nodes?: number
  readonly slurm?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, unknown>>
  /** Fields of each transfer; `from` and `to` are folders of the ground, `src` and the transfer's name unless said. */
  readonly transfers: Readonly<
    Record<string, Readonly<Record<string, unknown>> & { readonly from?: string; readonly to?: string }>
  >
}

/** A soxplan that runs while the test goes on. */
export interface Running {
  readonly child: ChildProcess
  /** Everything printed so far, both streams as they came. */
  output(): string
  readonly ended: Promise<number>
}

export class Ground {
  readonly lab: Lab
  readonly folder: string
  readonly env: NodeJS.ProcessEnv

  /** `folder` is made where it is missing. */
  constructor(lab: Lab, folder: string, env: NodeJS.ProcessEnv = {}) {
    this.lab = lab
    this.folder = folder
    this.env = { ...lab.env, ...PACE, ...env }
  }

  in(...names: readonly string[]): string {
    return join(this.folder, ...names)
  }

  async tree(name: string, entries: Parameters<typeof writeTree>[1] = skewed): Promise<void> {
    await writeTree(this.in(name), entries)
  }

  /** JSON is YAML. */
  async plan(fields: PlanFields, name = 'plan.yaml'): Promise<void> {
    const transfers = Object.entries(fields.transfers).map(
      ([id, { from, to, ...rest }]): [string, unknown] => [
        id,
        { from: this.in(from ?? 'src'), to: this.in(to ?? id), ...rest },
      ],
    )
    await mkdir(this.folder, { recursive: true })
    const plan = { version: 1, name: 'lab', nodes: 4, ...fields, transfers: Object.fromEntries(transfers) }
    await writeFile(this.in(name), JSON.stringify(plan))
  }

  soxplan(args: readonly string[], env: NodeJS.ProcessEnv = this.env): Promise<SoxplanResult> {
    return runSoxplan(args, { cwd: this.folder, env })
  }

  apply(...more: readonly string[]): Promise<SoxplanResult> {
    return this.soxplan(['apply', 'plan.yaml', '--yes', ...more])
  }

  /** Starts soxplan in a process group of its own, as a shell does. */
  begin(args: readonly string[], env: NodeJS.ProcessEnv = this.env): Running {
    const [program, ...first] = SOXPLAN
    const child = spawn(program, [...first, ...args], {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const ended = once(child, 'close').then((values) => {
      const code: unknown = values[0]
      return typeof code === 'number' ? code : -1
    })
    return { child, output: () => output, ended }
  }

  /** Ctrl-C at a terminal: every process of the group gets it. */
  interrupt({ child }: Running): void {
    if (child.pid === undefined) throw new Error('it has not started')
    process.kill(-child.pid, 'SIGINT')
  }

  /** Folders of all runs, oldest first. */
  async runs(): Promise<readonly string[]> {
    const names = await readdir(this.in('.soxplan', 'runs')).catch(() => [])
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => this.in('.soxplan', 'runs', name))
  }

  async newestRun(): Promise<string> {
    const run = (await this.runs()).at(-1)
    if (run === undefined) throw new Error(`no run in ${this.folder}`)
    return run
  }

  /** The journal of the newest run, or of `run`. */
  async events(run?: string): Promise<readonly Recorded[]> {
    const text = await readFile(join(run ?? (await this.newestRun()), 'events.jsonl'), 'utf8').catch(() => '')
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Recorded]))
  }

  /** Ids under which the newest run was handed over, by step. */
  async tickets(): Promise<Readonly<Record<string, string>>> {
    const events = await this.events()
    return Object.fromEntries(
      events.flatMap((event) => (event.kind === 'submitted' ? [[event.step, event.ticket]] : [])),
    )
  }

  /** Files in the stage folders of the newest run whose path matches, relative to `stages/`. */
  async stageFiles(pattern: RegExp): Promise<readonly string[]> {
    const stages = join((await this.runs()).at(-1) ?? '', 'stages')
    const entries = await readdir(stages, { recursive: true }).catch(() => [])
    return entries.filter((name) => pattern.test(name)).sort()
  }

  /** Verdicts per shard of a stage: `{ '00001': ['released', 'done'] }`. */
  async verdicts(step: string): Promise<Readonly<Record<string, readonly string[]>>> {
    const found: Record<string, string[]> = {}
    const stages = join(await this.newestRun(), 'stages')
    for (const file of await this.stageFiles(new RegExp(`^${step}/work/\\d+/\\d+\\.end$`))) {
      const shard = file.split('/')[2] ?? ''
      const result = /^result (.*)$/m.exec(await readFile(join(stages, file), 'utf8'))?.[1] ?? 'torn'
      ;(found[shard] ??= []).push(result)
    }
    return found
  }

  /** Rows of live jobs of the lab: `name state`. */
  async queue(): Promise<readonly string[]> {
    const rows = await this.lab.squeue('--noheader', '--format=%j %T')
    return rows === '' ? [] : rows.split('\n').map((row) => row.trim())
  }

  /**
   * Runs `script` before the `call`th sbatch, or in its place where it exits; in it, `sbatch "$@"` is the real one. All
   * others are the real one.
   */
  async sbatchOnce(call: number, script: string): Promise<NodeJS.ProcessEnv> {
    const shim = await this.lab.shim('sbatch', {})
    const count = this.in('sbatch-calls')
    const text = `#!/bin/bash
sbatch() { ${findProgram('sbatch') ?? ''} "$@"; }
# Whether Slurm would take a job is a question and no submission.
[[ $1 != --test-only ]] || exec ${findProgram('sbatch') ?? ''} "$@"
echo >>'${count}'
if [[ $(wc -l <'${count}') == ${call} ]]; then
${script}
fi
sbatch "$@"
`
    await writeFile(join(this.lab.folder, 'shims', 'sbatch'), text)
    return { ...this.env, PATH: shim.env['PATH'] }
  }

  /** rsync in the jobs waits until `open()`, so that a test has all the time it wants. */
  async gate(): Promise<{ readonly env: NodeJS.ProcessEnv; readonly open: () => Promise<void> }> {
    const file = this.in('gate')
    await mkdir(this.folder, { recursive: true })
    await writeFile(file, '')
    const env = await puppet(
      this.in('bin'),
      'rsync',
      `[[ $1 == --version ]] || while [[ -e '${file}' ]]; do sleep 0.1; done\nPATH=\${PATH#*:} exec rsync "$@"`,
      this.env,
    )
    return { env, open: () => rm(file) }
  }
}

/**
 * Opens one lab and one temp folder for all tests of the `describe` it is called in; both are gone after the last.
 * Returns what makes the ground of one test: a folder of its own in the temp folder.
 */
export function groundsOfLab(options: LabOptions = {}): (name: string) => Ground {
  let lab: Lab
  let temp: TempFolder
  beforeAll(async () => {
    lab = await startLab(options)
    temp = await tempFolder()
  })
  afterAll(async () => {
    await temp[Symbol.asyncDispose]()
    await lab.close()
  })
  return (name) => new Ground(lab, join(temp.path, name))
}

/** As `groundsOfLab`, with a source and a plan that copies it. */
export function plannedGroundsOfLab(options: LabOptions = {}): (name: string) => Promise<Ground> {
  const groundOf = groundsOfLab(options)
  return async (name) => {
    const ground = groundOf(name)
    await ground.tree('src')
    await ground.plan({ transfers: { data: {} } })
    return ground
  }
}
