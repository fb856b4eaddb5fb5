/** What `doctor` found, as text for people and as JSON Lines for programs. Both come line by line, as answers do. */

import { harmless } from '../diagnostic-render.ts'
import { good, isGood, type Answer, type Finding, type Topic, type Verdict } from '../diagnostic-finding.ts'

export interface DoctorCounts {
  readonly ok: number
  readonly warnings: number
  readonly errors: number
  readonly unknown: number
}

const headings: Readonly<Record<Exclude<Topic, 'node'>, string>> = {
  here: 'This machine',
  tools: 'Tools',
  'run folder': 'Run folder',
  endpoints: 'Endpoints',
  destinations: 'Destinations',
  slurm: 'Slurm',
}

/** A sign says what a colour says, and stands in a column of three. */
const signs: Readonly<Record<Verdict, readonly [sign: string, colour: number]>> = {
  ok: ['ok', 32],
  warning: ['!', 33],
  error: ['x', 31],
  unknown: ['?', 33],
}
const SIGN_COLUMNS = 3

/** `Tools`, or `Node n1`: answers of one heading stand together. */
export function headingOf({ topic, node }: Answer): string {
  return topic === 'node' ? `Node ${node ?? ''}` : headings[topic]
}

/** The lines of one answer, each closed; `before` is the heading that they stand under already. */
export function answerText(answer: Answer, before: string | undefined, colour: boolean): string {
  const heading = headingOf(answer)
  const title = heading === before ? '' : `${before === undefined ? '' : '\n'}${heading}\n`
  return title + answer.findings.map((finding) => findingText(finding, colour)).join('')
}

/** All of one node in few lines: what was well is named, what was not is told. */
export function nodeText(answers: readonly Answer[], before: string | undefined, colour: boolean): string {
  const [first] = answers
  if (first === undefined) return ''
  const well = answers.filter(({ findings }) => findings.length > 0 && findings.every(isGood))
  const findings = [
    ...(well.length === 0 ? [] : [good(well.map(({ subject }) => subject).join(', '))]),
    ...answers.flatMap((answer) => answer.findings.filter((finding) => !isGood(finding))),
  ]
  return findings.length === 0 ? '' : answerText({ ...first, findings }, before, colour)
}

function findingText(finding: Finding, colour: boolean): string {
  const [sign, number] = signs[finding.verdict]
  const mark = colour ? `\u001b[${number}m${sign}\u001b[0m` : sign
  const pad = ' '.repeat(SIGN_COLUMNS - sign.length)
  const first = `  ${mark}${pad} ${harmless(finding.what)}`
  if (finding.verdict === 'ok') return `${first}\n`
  const indent = ' '.repeat(SIGN_COLUMNS + 3)
  const why = finding.why === undefined ? '' : `${indent}${harmless(finding.why)}\n`
  return `${first} (${finding.code})\n${why}${indent}→ ${harmless(finding.todo)}\n`
}

export function countFindings(answers: readonly Answer[]): DoctorCounts {
  const verdicts = answers.flatMap(({ findings }) => findings.map(({ verdict }) => verdict))
  const count = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length
  return { ok: count('ok'), warnings: count('warning'), errors: count('error'), unknown: count('unknown') }
}

/** `12 ok, 1 warning, 0 errors`, and what nobody knows where there is such. */
export function summaryText({ ok, warnings, errors, unknown }: DoctorCounts): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
  const rest = unknown === 0 ? '' : `, ${unknown} unknown`
  return `\n${ok} ok, ${plural(warnings, 'warning')}, ${plural(errors, 'error')}${rest}\n`
}

/** The first record: `schemas/doctor.schema.json` says what may follow. */
export function headRecord(soxplan: string, plan: string | undefined): string {
  return line({ record: 'doctor', version: 1, soxplan, ...(plan === undefined ? {} : { plan }) })
}

export function answerRecords({ topic, subject, node, findings }: Answer): string {
  const place = { topic, subject, ...(node === undefined ? {} : { node }) }
  return findings.map((finding) => line({ record: 'finding', ...place, ...finding })).join('')
}

export function summaryRecord(counts: DoctorCounts): string {
  return line({ record: 'summary', ...counts })
}

function line(record: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(record)}\n`
}
