/** Runs the measurements named on the command line (`a`, `worker` …), or all, and writes `bench/results.md`. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { fixed } from './measure.ts'
import type { Row } from './row.ts'

const measures: Readonly<Record<string, () => Promise<{ run(): Promise<Row[]> }>>> = {
  a: () => import('./planning.ts'),
  b: () => import('./partition.ts'),
  c: () => import('./copy.ts'),
  worker: () => import('./worker.ts'),
  d: () => import('./calls.ts'),
  e: () => import('./graph.ts'),
  f: () => import('./again.ts'),
  h: () => import('./requests.ts'),
}

const wanted = process.argv.slice(2)
const rows: Row[] = []
for (const [letter, load] of Object.entries(measures)) {
  if (wanted.length > 0 && !wanted.includes(letter)) continue
  process.stderr.write(`Measuring ${letter} …\n`)
  const measure = await load()
  for (const row of await measure.run()) {
    rows.push(row)
    process.stdout.write(`${line(row)}\n`)
  }
}
if (wanted.length === 0) writeFileSync(fileURLToPath(new URL('results.md', import.meta.url)), page(rows))
process.exitCode = rows.every((row) => row.ok) ? 0 : 1

function line({ id, measure, against, ratio, bar, ok, detail }: Row): string {
  return `| ${id} | ${measure} | ${against} | ${fixed(ratio)} | ${bar} | ${ok ? 'yes' : '**no**'} | ${detail} |`
}

function page(all: readonly Row[]): string {
  // fpart answers on stderr, and sbatch not at all where no cluster is configured.
  const version = (program: string, ...args: string[]): string => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    return `${stdout}${stderr}`.split('\n')[0] ?? ''
  }
  return `# Bench results

Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Ratios compare programs that ran in turns in the same run on the same machine.

- Machine: ${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}
- Versions: Node ${process.version}; ${version('rclone', 'version')}; ${version('rsync', '--version')}; ${version('fpart', '-V')}; ${version('slurmctld', '-V')}

| | Measure | Against | Figure | Bar | Holds | Details |
| --- | --- | --- | --- | --- | --- | --- |
${all.map(line).join('\n')}
`
}
