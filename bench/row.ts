/** One line of `bench/results.md`. */
export interface Row {
  /** The letter of the measure. */
  readonly id: string
  readonly measure: string
  /** What it is compared with, in the same run on the same machine. */
  readonly against: string
  readonly ratio: number
  /** What the ratio has to be, such as `≥ 1.5`. */
  readonly bar: string
  readonly ok: boolean
  /** The figures behind the ratio, with their units. */
  readonly detail: string
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2
}
