import { expect, test } from 'vitest'
import type { Event } from '../../src/run/event.ts'
import { fold } from '../../src/run/state.ts'
import { id } from '../graph/steps.ts'

const copy = id('a.copy')
const start: Event = { kind: 'run', version: 1, run: 'r', executor: 'slurm', steps: [copy] }

test('a step goes from waiting over intended and submitted to ended', () => {
  const events: readonly Event[] = [
    start,
    { kind: 'intent', step: copy, name: 'sox-r-a.copy' },
    { kind: 'submitted', step: copy, ticket: '17' },
    { kind: 'released' },
    { kind: 'ended', step: copy, outcome: 'accounted' },
    { kind: 'finished', failed: 0 },
  ]
  const after = (count: number): unknown => fold(events.slice(0, count)).steps.get(copy)
  expect(after(1)).toEqual({ at: 'waiting' })
  expect(after(2)).toEqual({ at: 'intended', name: 'sox-r-a.copy' })
  expect(after(3)).toEqual({ at: 'submitted', name: 'sox-r-a.copy', ticket: '17' })
  expect(after(5)).toEqual({ at: 'ended', outcome: 'accounted', ticket: '17' })
  expect(fold(events)).toMatchObject({ isReleased: true, end: 'finished', executor: 'slurm' })
})

test('the next life of a resumed run starts over', () => {
  const again = fold([
    start,
    { kind: 'submitted', step: copy, ticket: '17' },
    { kind: 'released' },
    { kind: 'interrupted' },
    start,
  ])
  expect(again).toMatchObject({ isReleased: false, end: 'open' })
  expect(again.steps.get(copy)).toEqual({ at: 'waiting' })
})

test('what was taken back before anything ran is over; what an earlier life has moved is gone on with', () => {
  const back: Event = { kind: 'withdrawn', reason: 'interrupted before release' }
  expect(fold([start, back])).toMatchObject({ end: 'withdrawn', hasRun: false })
  expect(fold([start, { kind: 'released' }, start, back])).toMatchObject({ end: 'open', hasRun: true })
})

test('a run in whose place another was started is never gone on with', () => {
  expect(fold([start, { kind: 'released' }, { kind: 'superseded' }])).toMatchObject({ end: 'withdrawn' })
})
