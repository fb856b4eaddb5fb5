/** Measure d: stat and list calls of all shards together, against one rclone. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { cacheFolder } from './folders.ts'
import { mustRun } from './measure.ts'
import type { Row } from './row.ts'
import { manyShards, soxplan, writePlan } from './soxplan.ts'
import { smallFiles } from './trees.ts'

/** strace makes every call about ten times as slow, so the tree is a tenth of the others. */
const FILES = 20_000
const BAR = 1.1
const counted = ['stat', 'lstat', 'fstat', 'newfstatat', 'statx', 'getdents64']

async function callsOf(argv: readonly string[], cwd: string): Promise<number> {
  const report = path.join(cwd, 'strace.txt')
  await mustRun(['strace', '-f', '-c', '-o', report, '-e', `trace=${counted.join(',')}`, ...argv], { cwd })
  const lines = (await readFile(report, 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  return lines
    .filter((fields) => counted.includes(fields.at(-1) ?? ''))
    .reduce((sum, fields) => sum + Number(fields[3]), 0)
}

export async function run(): Promise<Row[]> {
  const from = smallFiles(path.join(await cacheFolder(), 'calls'), FILES)
  const folder = await mkdtemp(path.join(tmpdir(), 'soxplan-calls-'))
  try {
    const one = await callsOf(['rclone', 'copy', '--config', '', from, path.join(folder, 'one')], folder)
    const rows: Row[] = []
    for (const tool of ['auto', 'rclone']) rows.push(await row(folder, from, tool, one))
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function row(folder: string, from: string, tool: string, one: number): Promise<Row> {
  const plan = await writePlan(path.join(folder, `${tool}.plan`), {
    data: { from, to: path.join(folder, tool), tool },
  })
  const scripts = path.join(folder, `${tool}.scripts`)
  await mustRun(soxplan('plan', plan.file, '--executor', 'local', '--slots', '1', '--scripts', scripts), {
    env: manyShards,
  })
  const stage = (name: string): string => path.join(scripts, 'stages', `data.${name}`)
  const copy = await callsOf(['bash', 'script.sh'], stage('copy'))
  const verify = await callsOf(['bash', 'script.sh'], stage('verify'))
  const ratio = copy / one
  return {
    id: 'd',
    measure: `stat and list calls of all copy shards, ${FILES.toLocaleString('en')} files in 8 shards, tool: ${tool}`,
    against: 'one rclone copy',
    ratio,
    bar: `≤ ${BAR}`,
    ok: ratio <= BAR,
    detail: `soxplan ${copy} calls, accounting included, rclone ${one}; its verify stage makes ${verify} more, rclone has none`,
  }
}
