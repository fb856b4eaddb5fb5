/** Where a run stands, folded from its journal. */

import type { StepId } from '../units.ts'
import type { Event, ExecutorKind, StepOutcome, Ticket } from './event.ts'

/** waiting → intended → submitted → ended */
export type StepState =
  | { readonly at: 'waiting' }
  | { readonly at: 'intended'; readonly name: string }
  | { readonly at: 'submitted'; readonly name: string; readonly ticket: Ticket }
  | { readonly at: 'ended'; readonly outcome: StepOutcome; readonly ticket: Ticket | undefined }

export interface RunState {
  readonly run: string
  readonly executor: ExecutorKind
  readonly steps: ReadonlyMap<StepId, StepState>
  readonly isReleased: boolean
  /** Handed over behind the last release: held, unless whoever did it was killed in between. */
  readonly unreleased: ReadonlySet<StepId>
  /** Something of it was released, now or in an earlier life: it may have marks. */
  readonly hasRun: boolean
  readonly end: 'open' | 'finished' | 'withdrawn'
  /** Ended on purpose, and nobody has gone on with it since: who did that. */
  readonly cancelledBy?: string
  /** Of a finished run: entries that are not at the destination, proven or as asked. */
  readonly failed?: number
}

const emptyState: RunState = {
  run: '',
  executor: 'local',
  steps: new Map(),
  isReleased: false,
  unreleased: new Set(),
  hasRun: false,
  end: 'open',
}

/** The state after all `events`, oldest first. A second `run` event starts over: it is a resumed run's next life. */
export function fold(events: readonly Event[]): RunState {
  return events.reduce(next, emptyState)
}

function next(state: RunState, event: Event): RunState {
  switch (event.kind) {
    case 'run': {
      const steps = new Map<StepId, StepState>(event.steps.map((step) => [step, { at: 'waiting' }]))
      return {
        run: event.run,
        executor: event.executor,
        steps,
        isReleased: false,
        unreleased: new Set(),
        hasRun: state.hasRun,
        end: 'open',
      }
    }
    case 'intent':
      return withStep(state, event.step, { at: 'intended', name: event.name })
    case 'submitted': {
      const before = state.steps.get(event.step)
      const name = before?.at === 'intended' ? before.name : ''
      const submitted = withStep(state, event.step, { at: 'submitted', name, ticket: event.ticket })
      return { ...submitted, unreleased: new Set([...state.unreleased, event.step]) }
    }
    case 'released':
      return { ...state, isReleased: true, unreleased: new Set(), hasRun: true }
    case 'withdrawn':
      // What an earlier life of the run has moved stands, and the next apply goes on from there.
      return { ...state, end: state.hasRun ? 'open' : 'withdrawn' }
    case 'cancelled':
      return { ...state, end: state.hasRun ? 'open' : 'withdrawn', cancelledBy: event.by }
    case 'superseded':
      return { ...state, end: 'withdrawn' }
    case 'ended': {
      const before = state.steps.get(event.step)
      const ticket = before?.at === 'submitted' ? before.ticket : undefined
      return withStep(state, event.step, { at: 'ended', outcome: event.outcome, ticket })
    }
    case 'finished':
      return { ...state, end: 'finished', failed: event.failed }
    case 'detached':
    case 'interrupted':
      return state
  }
}

function withStep(state: RunState, step: StepId, to: StepState): RunState {
  return { ...state, steps: new Map(state.steps).set(step, to) }
}
