/** Measure d: what cutting a copy into shards costs in stat and list calls of the tool, against one call of it. */

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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
const calls = ['stat', 'lstat', 'fstat', 'newfstatat', 'statx', 'getdents64']
const strace = (report: string): readonly string[] => [
  'strace',
  '-f',
  '-c',
  '-o',
  report,
  '-e',
  `trace=${calls.join(',')}`,
]

/** Calls that `argv` and all its children make. */
async function callsOf(argv: readonly string[], cwd: string): Promise<number> {
  const report = path.join(cwd, 'strace.txt')
  await mustRun([...strace(report), ...argv], { cwd })
  return countIn(report)
}

async function countIn(report: string): Promise<number> {
  const lines = (await readFile(report, 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  return lines
    .filter((fields) => calls.includes(fields.at(-1) ?? ''))
    .reduce((sum, fields) => sum + Number(fields[3]), 0)
}

/** Puts a `tool` first on PATH that runs the real one under strace, and returns PATH and the folder of its reports. */
async function counted(tool: string, folder: string): Promise<{ PATH: string; reports: string }> {
  const reports = path.join(folder, 'reports')
  const bin = path.join(folder, 'bin')
  await mkdir(reports, { recursive: true })
  await mkdir(bin)
  const real = (await mustRun(['bash', '-c', `type -P ${tool}`])).stdout.trim()
  const script = path.join(bin, tool)
  const traced = strace(`${reports}/$$`).join(' ')
  await writeFile(
    script,
    `#!/bin/bash\ncase $1 in version | --version) exec ${real} "$@" ;; esac\nexec ${traced} ${real} "$@"\n`,
  )
  await chmod(script, 0o755)
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}`, reports }
}

export async function run(): Promise<Row[]> {
  const from = smallFiles(path.join(await cacheFolder(), 'calls'), FILES)
  const folder = await mkdtemp(path.join(tmpdir(), 'soxplan-calls-'))
  try {
    return [await row(folder, from)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function row(folder: string, from: string): Promise<Row> {
  const one = await callsOf(
    ['rclone', 'copy', '--config', '', '--metadata', from, path.join(folder, 'one')],
    folder,
  )
  const plan = await writePlan(path.join(folder, 'plan'), {
    data: { from, to: path.join(folder, 'to'), tool: 'rclone' },
  })
  const scripts = path.join(folder, 'scripts')
  await mustRun(soxplan('plan', plan.file, '--executor', 'local', '--slots', '1', '--scripts', scripts), {
    env: manyShards,
  })
  const stage = (name: string): string => path.join(scripts, 'stages', `data.${name}`)
  const { PATH, reports } = await counted('rclone', folder)
  await mustRun(['bash', 'script.sh'], { cwd: stage('copy'), env: { PATH } })
  const files = await readdir(reports)
  const counts = await Promise.all(files.map((name) => countIn(path.join(reports, name))))
  const mine = counts.reduce((sum, count) => sum + count, 0)
  const verify = await callsOf(['bash', 'script.sh'], stage('verify'))
  const ratio = mine / one
  return {
    id: 'd',
    measure: `stat and list calls of rclone in all ${files.length} shards together, ${FILES.toLocaleString('en')} files`,
    against: 'one rclone copy with the same flags',
    ratio,
    bar: `≤ ${BAR}`,
    ok: ratio <= BAR,
    detail: `shards ${mine} calls, one rclone ${one}; the proof, which rclone does not have, looks at every file once more: ${verify} calls`,
  }
}
