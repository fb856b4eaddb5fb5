/** The graph of steps. Graphlib holds it; nothing outside this folder sees graphlib. */

import { Graph } from '@dagrejs/graphlib'
import { Bug } from '../units.ts'
import type { StepId } from '../units.ts'
import type { Step } from './step.ts'

/** An immutable graph whose steps stand in an order in which every parent comes before its children. */
export interface StepGraph {
  readonly steps: readonly Step[]
  parents(id: StepId): readonly StepId[]
  children(id: StepId): readonly StepId[]
}

/** Ids get a prefix, because graphlib 4 writes a node called `__proto__` onto Object itself (dagrejs/graphlib#230). */
const key = (id: StepId): string => `s:${id}`
const idOf = (node: string): StepId => node.slice(2) as StepId

/**
 * Builds the graph from steps and their `after` edges. Steps keep their given order wherever the edges allow it.
 *
 * @throws Bug on an edge to a step that does not exist, a step given twice, or a cycle: the plan's rules refuse
 * cycles in `after` with a place in the file, so one that arrives here is ours.
 */
export function stepGraph(steps: readonly Step[]): StepGraph {
  const graph = new Graph<undefined, Step, undefined>({ directed: true })
  for (const step of steps) {
    if (graph.hasNode(key(step.id))) throw new Bug(`step twice: ${step.id}`)
    graph.setNode(key(step.id), step)
  }
  for (const step of steps) {
    for (const parent of step.after) {
      if (!graph.hasNode(key(parent))) throw new Bug(`${step.id} stands after unknown step ${parent}`)
      graph.setEdge(key(parent), key(step.id))
    }
  }
  return {
    steps: inOrder(graph, steps),
    parents: (id) => (graph.predecessors(key(id)) ?? []).map(idOf),
    children: (id) => (graph.successors(key(id)) ?? []).map(idOf),
  }
}

/** Kahn's sort, iterative: graphlib's own recurses and overflows the stack at a chain of about 3,900 steps. */
function inOrder(graph: Graph<undefined, Step, undefined>, steps: readonly Step[]): readonly Step[] {
  const open = new Map(steps.map((step) => [step.id, (graph.predecessors(key(step.id)) ?? []).length]))
  const rank = new Map(steps.map((step, index) => [step.id, index]))
  const byId = new Map(steps.map((step) => [step.id, step]))
  const ready = steps.filter((step) => open.get(step.id) === 0).map((step) => step.id)
  const order: Step[] = []
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    const step = byId.get(id)
    if (step === undefined) throw new Bug(`unknown step ${id}`)
    order.push(step)
    const freed: StepId[] = []
    for (const child of (graph.successors(key(id)) ?? []).map(idOf)) {
      const left = (open.get(child) ?? 0) - 1
      open.set(child, left)
      if (left === 0) freed.push(child)
    }
    if (freed.length === 0) continue
    ready.push(...freed)
    ready.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0))
  }
  if (order.length !== steps.length) throw new Bug('the steps form a cycle')
  return order
}
