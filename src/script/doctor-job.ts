/** What `doctor` hands to Slurm: a script that puts the questions of `probe.sh` to one node. */

import { quote } from './quote.ts'

/** The script of a job that is only asked about. */
export const nothingToRun = ':'

export interface NodeQuestion {
  /** `folder` calls `probe_folder`. */
  readonly probe: string
  readonly args: readonly string[]
  /** Lines of the plan that stand before, as they do in a worker. */
  readonly setup?: readonly string[]
}

/** A file system that hangs is left alone after `$limit`: read is bash's own, so that nothing else has to answer. */
const answer = `# answer NUMBER COMMAND…: what it prints, each line behind a space.
answer() {
  local line code
  printf 'ask %s\\n' "$1"
  exec 3< <("\${@:2}" 2>/dev/null)
  while :; do
    IFS= read -r -t "$limit" -u 3 line
    code=$?
    ((code == 0)) || break
    printf ' %s\\n' "$line"
  done
  ((code <= 128)) || echo late
  exec 3<&-
}
`

/**
 * The whole script. On stdout come `node NAME`, and for each question `ask NUMBER`, its answer behind a space each, and `late` where
 * nothing came for `limitSeconds`; last `end`. `probe` is the text of `probe.sh`.
 */
export function renderDoctorJob(
  questions: readonly NodeQuestion[],
  probe: string,
  limitSeconds: number,
): string {
  const asked = questions.map(
    (question, number) => `question_${number}() {\n${body(question)}}\nanswer ${number} question_${number}\n`,
  )
  return `#!/bin/bash
# soxplan doctor: questions to one node, about what a worker needs there. It changes nothing.
exec </dev/null
limit=${limitSeconds}

${probe}
${answer}
printf 'node %s\\n' "\${SLURMD_NODENAME:-\$(hostname)}"
${asked.join('\n')}
echo end
`
}

/** What the plan's own lines print is no answer. */
function body({ probe, args, setup = [] }: NodeQuestion): string {
  const call = `  probe_${probe} ${args.map(quote).join(' ')}`.trimEnd()
  const lines = setup.length === 0 ? [] : ['  exec 4>&1 >/dev/null', ...setup, '  exec >&4 4>&-']
  return [...lines, call, ''].join('\n')
}

export interface NodeReply {
  /** Where it ran; undefined where nothing has come yet. */
  readonly node?: string
  /** Lines per question. */
  readonly answers: ReadonlyMap<number, string>
  /** Questions that nothing came for in time. */
  readonly late: ReadonlySet<number>
  /** All have been put. */
  readonly isWhole: boolean
}

/** What has been printed so far; the last question may be in the middle of its answer, and then counts as not yet put. */
export function readReply(text: string): NodeReply {
  const blocks = text
    .split(/^ask /m)
    .slice(1)
    .map((block) => /^(\d+)\n([^]*)$/.exec(block) ?? [])
  const isWhole = text.endsWith('\nend\n')
  const done = isWhole ? blocks : blocks.slice(0, -1)
  const numbered = done.map(([, number = '', lines = '']) => [Number(number), lines] as const)
  const node = /^node (.+)$/m.exec(text)?.[1]
  return {
    ...(node === undefined ? {} : { node }),
    answers: new Map(numbered.map(([number, lines]) => [number, lines.replaceAll(/^ /gm, '')])),
    late: new Set(numbered.flatMap(([number, lines]) => (/^late$/m.test(lines) ? [number] : []))),
    isWhole,
  }
}
