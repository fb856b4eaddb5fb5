import { describe, expect, test } from 'vitest'
import { buildGraph } from '../../src/graph/build.ts'
import { faultsBehindLoss, LOOKS_BELIEVED, outcomeOf, stops } from '../../src/run/decide.ts'
import type { Sighting } from '../../src/run/executor.ts'
import type { Mark } from '../../src/run/mark.ts'
import type { StepProgress } from '../../src/run/progress.ts'
import { id, planned } from '../graph/steps.ts'

const graph = buildGraph(
  [planned('a', 2), planned('b', 1, { after: [planned('a', 1).transfer.name] })],
  () => 2,
)

const mark = (change: Partial<Mark> = {}): Mark => ({
  shard: '00000',
  attempt: 1,
  result: 'done',
  exitCode: 0,
  files: 1,
  bytes: 10,
  failed: 0,
  seconds: 1,
  by: '0.0.n1.1.1',
  ...change,
})

const gone: Sighting = { phase: 'gone' }
const endedAs = (...ended: readonly string[]): Sighting => ({ phase: 'gone', ended })

/** The step's progress, by default under way without a verdict. */
const at = (name: string, change: Partial<StepProgress> = {}): StepProgress => {
  const step = graph.steps.find((one) => one.id === id(name))
  if (step === undefined) throw new Error(name)
  return {
    step,
    sighting: { phase: 'running', workers: 2 },
    outcome: undefined,
    marks: [],
    shardsRunning: 0,
    bytesUnderWay: 0,
    ...change,
  }
}

const others = (...steps: readonly StepProgress[]): Map<StepProgress['step']['id'], StepProgress> =>
  new Map(steps.map((one) => [one.step.id, one]))

const done = [mark(), mark({ shard: '00001' })]

test('failed names stop no stage of the same transfer but the one that deletes', () => {
  const proven = { outcome: 'accounted', marks: done } as const
  const failed = { outcome: 'accounted', marks: [mark(), mark({ shard: '00001', failed: 1 })] } as const
  const copy = (change: Partial<StepProgress>): StepProgress => at('a.copy', change)
  expect(stops(copy(failed), { stage: 'verify' })).toBe(false)
  expect(stops(copy(failed), { stage: 'prune' })).toBe(true)
  expect(stops(copy(proven), { stage: 'prune' })).toBe(false)
  expect(stops(copy({ outcome: 'lost' }), { stage: 'prune' })).toBe(true)
  expect(stops(copy({}), { stage: 'prune' })).toBe(false)
})

describe('when a step is over', () => {
  test('with all verdicts once its workers are gone', () => {
    expect(outcomeOf(at('a.copy', { marks: done }), 1, graph, others())).toBeUndefined()
    expect(outcomeOf(at('a.copy', { marks: done, sighting: gone }), 1, graph, others())).toBe('accounted')
  })

  test('with all verdicts when the queue stays silent', () => {
    const silent = at('a.copy', { marks: done, sighting: { phase: 'unknown' } })
    expect(outcomeOf(silent, LOOKS_BELIEVED - 1, graph, others())).toBeUndefined()
    expect(outcomeOf(silent, LOOKS_BELIEVED, graph, others())).toBe('accounted')
  })

  test('never by silence alone', () => {
    const silent = at('a.copy', { marks: [mark()], sighting: { phase: 'unknown' } })
    expect(outcomeOf(silent, 1000, graph, others())).toBeUndefined()
  })

  test('lost when its workers stay gone and shards are open', () => {
    const open = at('a.copy', { marks: [mark()], sighting: gone })
    expect(outcomeOf(open, LOOKS_BELIEVED - 1, graph, others())).toBeUndefined()
    expect(outcomeOf(open, LOOKS_BELIEVED, graph, others())).toBe('lost')
  })

  test('blocked or lost only when what it stands behind is over', () => {
    const child = at('a.verify', { sighting: gone })
    const verdict = (parent: Partial<StepProgress>): unknown =>
      outcomeOf(child, LOOKS_BELIEVED, graph, others(at('a.copy', parent)))
    expect(verdict({})).toBeUndefined()
    expect(verdict({ outcome: 'lost' })).toBe('blocked')
    expect(verdict({ outcome: 'accounted', marks: done })).toBe('lost')
    expect(verdict({ outcome: 'accounted', marks: [mark(), mark({ result: 'failed' })] })).toBe('blocked')
  })

  test('failed entries stop what comes after the transfer, not its own next stage', () => {
    const marks = [mark({ failed: 1 }), mark({ shard: '00001' })]
    const over = { outcome: 'accounted', marks } as const
    const verify = outcomeOf(
      at('a.verify', { sighting: gone }),
      LOOKS_BELIEVED,
      graph,
      others(at('a.copy', over)),
    )
    const next = outcomeOf(
      at('b.copy', { sighting: gone }),
      LOOKS_BELIEVED,
      graph,
      others(at('a.verify', over)),
    )
    expect([verify, next]).toEqual(['lost', 'blocked'])
  })
})

describe('whether what was lost is handed over again', () => {
  const lost = { outcome: 'lost' } as const

  test('not when nothing was lost, and not when nobody knows how', () => {
    expect(
      faultsBehindLoss([at('a.copy', { outcome: 'accounted', sighting: endedAs('FAILED') })], graph),
    ).toBeUndefined()
    expect(faultsBehindLoss([at('a.copy', { ...lost, sighting: gone })], graph)).toBeUndefined()
  })

  test('yes after a fault, although Slurm cancelled what stands behind it', () => {
    const steps = [
      at('a.copy', { outcome: 'accounted', sighting: endedAs('NODE_FAIL') }),
      at('a.verify', { ...lost, sighting: endedAs('CANCELLED') }),
    ]
    expect(faultsBehindLoss(steps, graph)).toEqual(['NODE_FAIL'])
  })

  test('not when a person cancelled any of it', () => {
    const steps = [
      at('a.copy', { ...lost, sighting: endedAs('CANCELLED', 'FAILED') }),
      at('a.verify', { outcome: 'blocked', sighting: endedAs('CANCELLED') }),
    ]
    expect(faultsBehindLoss(steps, graph)).toBeUndefined()
  })
})
