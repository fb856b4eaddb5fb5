import { describe, expect, test } from 'vitest'
import type { Step } from '../../src/graph/step.ts'
import type { Mark } from '../../src/run/mark.ts'
import type { Progress, StepProgress } from '../../src/run/progress.ts'
import { createLinePrinter } from '../../src/view/lines.ts'
import { stepId } from '../../src/graph/build.ts'
import { shard, transfer } from '../graph/steps.ts'

const MIB = 2 ** 20

describe('progress lines', () => {
  test('the rate counts what moved in this life of the run, the time left what is left to do', () => {
    const printer = createLinePrinter()
    const at = (millis: number, done: number, bytesUnderWay = 0): Progress => ({
      steps: [running(10, done, bytesUnderWay)],
      elapsedMillis: millis,
    })
    expect(printer.next(at(0, 5))).toEqual([
      'data.copy: 50.0 MiB of 100.0 MiB, 50 of 100 entries copied, 5/10 shards',
    ])
    expect(printer.next(at(500, 5, MIB))).toEqual([])
    expect(printer.next(at(10_000, 7, 5 * MIB))).toEqual([
      'data.copy: 75.0 MiB of 100.0 MiB, 70 of 100 entries copied, 7/10 shards, 2.5 MiB/s, 10s left',
    ])
    expect(printer.next(at(20_000, 7, 5 * MIB))).toEqual([])
    expect(printer.next(at(70_000, 7, 5 * MIB))).toEqual([
      'data.copy: 75.0 MiB of 100.0 MiB, 70 of 100 entries copied, 7/10 shards, 365.7 KiB/s, 1m10s left',
    ])
  })

  test('many tiny files are not as good as done because one big one is', () => {
    const shards = [shard('00001', 1, 100 * MIB), shard('00002', 100_000, 100)]
    const printer = createLinePrinter()
    const steps = (done: number): Progress['steps'] => [{ ...running(2, done, 0), step: stepOf(shards) }]
    printer.next({ steps: steps(0), elapsedMillis: 0 })
    expect(printer.next({ steps: steps(1), elapsedMillis: 60_000 })[0]).toMatch(
      /1\/2 shards, .*, 1m00s left$/,
    )
  })
})

function stepOf(shards: Step['shards']): Step {
  const data = transfer('data')
  const version = { tool: 'rsync', path: 'rsync', text: '3.2.7', major: 3, minor: 2 } as const
  return {
    id: stepId(data.name, 'copy'),
    transfer: data,
    stage: 'copy',
    tool: { name: 'rsync', version, reason: '' },
    proof: 'size',
    shards,
    balance: { meanSeconds: 1, maxSeconds: 1, ratio: 1 },
    workers: 1,
    afterJobs: [],
    isLast: false,
    after: [],
  }
}

function running(count: number, done: number, bytesUnderWay: number): StepProgress {
  const shards = Array.from({ length: count }, (_, index) => shard(`0000${index + 1}`, 10, 10 * MIB))
  const marks = shards.slice(0, done).map((one): Mark => ({
    shard: one.id,
    attempt: 1,
    result: 'done',
    exitCode: 0,
    files: one.files,
    bytes: one.bytes,
    failed: 0,
    seconds: 1,
    by: '',
  }))
  return {
    step: stepOf(shards),
    sighting: { phase: 'running', workers: 1 },
    outcome: undefined,
    marks,
    shardsRunning: 1,
    bytesUnderWay,
  }
}
