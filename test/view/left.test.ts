import { describe, expect, test } from 'vitest'
import { buildGraph } from '../../src/graph/build.ts'
import type { StageKind } from '../../src/graph/step.ts'
import type { Mark, MarkResult } from '../../src/run/mark.ts'
import type { StepProgress } from '../../src/run/progress.ts'
import { leftText } from '../../src/view/left.ts'
import { planned, shard } from '../graph/steps.ts'

const GIB = 2 ** 30

/** Nothing runs. */
const at = { sighting: undefined, outcome: undefined, shardsRunning: 0, bytesUnderWay: 0 }

/** A verdict on the shard of this number. */
function mark(shard: number, result: MarkResult = 'done', failed = 0): Mark {
  const id = String(shard).padStart(5, '0')
  return { shard: id, attempt: 1, result, exitCode: 0, files: 1, bytes: GIB, failed, seconds: 1, by: 'test' }
}

/** Transfer `data` of `shards` shards with 1 file of 1 GiB each. */
function run(
  shards: number,
  verdicts: Readonly<Partial<Record<StageKind, readonly Mark[]>>>,
  proof?: 'none',
): readonly StepProgress[] {
  const plan = planned('data', shards, {}, proof)
  const stages = plan.stages.map((stage) => ({
    ...stage,
    shards: stage.shards.map((one) => ({ ...one, bytes: GIB })),
  }))
  const big = { ...plan, stages }
  return buildGraph([big], () => 2).steps.map((step) => ({
    step,
    sighting: undefined,
    outcome: undefined,
    marks: verdicts[step.stage] ?? [],
    shardsRunning: 0,
    bytesUnderWay: 0,
  }))
}

describe('what is left of an unfinished run', () => {
  test('a shard is proven by its last stage, and what is only copied is said apart', () => {
    const copy = [mark(0), mark(1), mark(2), mark(3)]
    expect(leftText(run(8, { copy, verify: [mark(0), mark(1), mark(2)] }))).toBe(
      '3 of 8 shards proven, 5.0 GiB in 5 shards left, 1.0 GiB of it only to verify',
    )
    expect(leftText(run(1, {}))).toBe('0 of 1 shard proven, 1.0 GiB in 1 shard left')
  })

  test('without a verify stage the copy is the last', () => {
    expect(leftText(run(2, { copy: [mark(1)] }, 'none'))).toBe(
      '1 of 2 shards proven, 1.0 GiB in 1 shard left',
    )
  })

  test('what was given up is neither proven nor left; names that failed count', () => {
    const copy = [mark(0, 'failed'), mark(1, 'done', 2), mark(2)]
    expect(leftText(run(4, { copy, verify: [mark(1, 'done', 3)] }))).toBe(
      '1 of 4 shards proven, 2.0 GiB in 2 shards left, 1.0 GiB of it only to verify, 4 entries failed',
    )
  })

  test('what is to be deleted is said apart, until it is', () => {
    const shards = [shard('00001', 3)]
    const prune = { stage: 'prune', shards, balance: { meanSeconds: 1, maxSeconds: 1, ratio: 1 } } as const
    const mirror = planned('mirror', 1)
    const { steps } = buildGraph([{ ...mirror, stages: [...mirror.stages, prune] }], () => 2)
    const left = (marks: Readonly<Partial<Record<StageKind, readonly Mark[]>>>): string =>
      leftText(steps.map((step) => ({ ...at, step, marks: marks[step.stage] ?? [] })))
    const proven = { copy: [mark(0)], verify: [mark(0)] }
    expect(left({})).toBe('0 of 1 shard proven, 10 B in 1 shard left, 3 to delete')
    expect(left(proven)).toBe('1 of 1 shard proven, 0 B in 0 shards left, 3 to delete')
    expect(left({ ...proven, prune: [mark(1)] })).toBe('1 of 1 shard proven, 0 B in 0 shards left')
  })

  test('every transfer of the run counts', () => {
    const steps = [...run(1, { copy: [mark(0)], verify: [mark(0)] }), ...other(2)]
    expect(leftText(steps)).toBe('1 of 3 shards proven, 20 B in 2 shards left')
  })
})

function other(shards: number): readonly StepProgress[] {
  const { steps } = buildGraph([planned('other', shards)], () => 2)
  return steps.map((step) => ({ ...at, marks: [], step }))
}
