/** What one seed moves: a tree, a plan over it, and tools that fail when they are told to. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../lab/available.ts'
import { puppet } from '../rig/puppet.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import type { Chance } from './seeded.ts'

export interface Scenario {
  readonly folder: string
  /** Source and destination of each transfer. */
  readonly ends: readonly (readonly [from: string, to: string])[]
  /** PATH leads to the tools that fail on demand. */
  readonly env: NodeJS.ProcessEnv
  /** The next calls of tools do this, one each, and all others what they are asked for. */
  breakTools(faults: readonly ToolFault[]): Promise<void>
}

/**
 * `fail`: says so at once. `lie`: does nothing and ends 0. `die`: killed in the middle, with all it started. `late`: sleeps
 * first. `moan`: does all of it and then says that it failed.
 */
export type ToolFault = 'fail' | 'lie' | 'die' | 'late' | 'moan'
export const toolFaults: readonly [ToolFault, ...ToolFault[]] = ['fail', 'lie', 'die', 'late', 'moan']

const SIZES = [0, 1, 100, 5000, 300_000] as const
const NAMES = [
  'plain',
  'two words',
  "it's",
  'new\nline',
  '-dash',
  '#hash',
  '$(touch X)',
  'ümlaut',
  '*',
] as const

function treeOf(chance: Chance): readonly TreeEntry[] {
  const files = Array.from({ length: chance.between(5, 80) }, (_, n): TreeEntry => ({
    kind: 'file',
    path: `d${chance.between(0, 4)}/e${chance.between(0, 3)}/${chance.pick(NAMES)} ${n}`,
    content: Buffer.alloc(chance.pick(SIZES), `content of ${n} `),
    mtime: 1_600_000_000 + n,
  }))
  return [
    ...files,
    { kind: 'directory', path: 'empty/of all' },
    { kind: 'symlink', path: 'link', target: 'd0/nowhere' },
  ]
}

/** Takes one fault off the queue, by a rename that only one of several can do. */
const fault = (queue: string, real: string): string => `
  case " $* " in *' --version '*|*' version '*) exec ${real} "$@" ;; esac
  fault=
  for file in '${queue}'/*; do
    mv "$file" "/tmp/soxplan-chaos.$$" 2>/dev/null && { fault=$(<"/tmp/soxplan-chaos.$$"); rm "/tmp/soxplan-chaos.$$"; break; }
  done
  case $fault in
    fail) echo 'told to fail' >&2; exit 5 ;;
    lie) exit 0 ;;
    late) sleep 0.4; exec ${real} "$@" ;;
    moan) ${real} "$@"; exit 5 ;;
    die) ${real} "$@" & sleep 0.02; kill -9 $!; kill -9 $$ ;;
    *) exec ${real} "$@" ;;
  esac`

/** Writes all of it into `folder`, which is empty. */
export async function writeScenario(
  folder: string,
  chance: Chance,
  base: NodeJS.ProcessEnv,
): Promise<Scenario> {
  const tool = chance.pick(['rsync', 'rclone', 'auto'])
  const count = chance.between(1, 2)
  const ends = Array.from({ length: count }, (_, n): readonly [string, string] => [
    join(folder, `from${n}`),
    join(folder, `to${n}`),
  ])
  for (const [from] of ends) await writeTree(from, treeOf(chance))
  const transfers = ends.map(([from, to], n) => [
    `t${n}`,
    {
      from,
      to,
      tool,
      verify: chance.pick(['auto', 'checksum']),
      ...(n > 0 && chance.next() < 0.5 ? { after: [`t${n - 1}`] } : {}),
    },
  ])
  const plan = { version: 1, name: 'chaos', nodes: 3, transfers: Object.fromEntries(transfers) as unknown }
  await writeFile(join(folder, 'plan.yaml'), JSON.stringify(plan))
  const queue = join(folder, 'faults')
  await mkdir(queue)
  let env = base
  for (const program of ['rsync', 'rclone'])
    env = await puppet(join(folder, 'bin'), program, fault(queue, findProgram(program) ?? program), env)
  let written = 0
  return {
    folder,
    ends,
    env,
    async breakTools(faults) {
      for (const one of faults) await writeFile(join(queue, String(written++).padStart(6, '0')), one)
    },
  }
}
