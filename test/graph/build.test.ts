import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildGraph } from '../../src/graph/build.ts'
import type { PlannedTransfer } from '../../src/graph/build.ts'
import { stepGraph } from '../../src/graph/dag.ts'
import { transferName } from '../../src/units.ts'
import { id, planned, transfer } from './steps.ts'

const nodes = (transfer: PlannedTransfer['transfer']): number => transfer.nodes

test('a transfer is copied and then verified, and only its last stage may end 1', () => {
  const graph = buildGraph([planned('code', 10)], nodes)
  expect(graph.steps.map((step) => [step.id, step.after, step.isLast, step.workers])).toEqual([
    ['code.copy', [], false, 4],
    ['code.verify', ['code.copy'], true, 4],
  ])
})

test('without proof the copy is the last stage', () => {
  const graph = buildGraph([planned('code', 1, {}, 'none')], nodes)
  expect(graph.steps.map((step) => [step.id, step.isLast, step.workers])).toEqual([['code.copy', true, 1]])
})

test('a transfer waits for the last stage of those it stands after', () => {
  const graph = buildGraph([planned('b', 1, { after: [transferName('a')] }), planned('a', 1)], nodes)
  expect(graph.steps.map((step) => step.id)).toEqual(['a.copy', 'a.verify', 'b.copy', 'b.verify'])
  expect(graph.parents(id('b.copy'))).toEqual(['a.verify'])
  expect(graph.children(id('a.copy'))).toEqual(['a.verify'])
})

test('a transfer with nothing left to do has no steps and holds nobody up', () => {
  const graph = buildGraph([planned('a', 0), planned('b', 2, { after: [transferName('a')] })], nodes)
  expect(graph.steps.map((step) => [step.id, step.after])).toEqual([
    ['b.copy', []],
    ['b.verify', ['b.copy']],
  ])
})

test('an order holds over a transfer with nothing left to do', () => {
  const graph = buildGraph(
    [
      planned('c', 1, { after: [transferName('a'), transferName('b')] }),
      planned('a', 1),
      planned('b', 0, { after: [transferName('a')] }),
    ],
    nodes,
  )
  expect(graph.parents(id('c.copy'))).toEqual(['a.verify'])
  const after = { after: [transferName('b')] }
  const all = [transfer('a'), transfer('b', { after: [transferName('a')] }), transfer('c', after)]
  const without = buildGraph([planned('c', 1, after), planned('a', 1)], nodes, all)
  expect(without.parents(id('c.copy'))).toEqual(['a.verify'])
})

test('names that JavaScript gives a meaning of their own are only names', () => {
  const graph = buildGraph(
    [planned('constructor', 1), planned('toString', 1, { after: [transferName('constructor')] })],
    nodes,
  )
  expect(graph.steps).toHaveLength(4)
  expect(Object.keys({})).toEqual([])
})

test('parents come first, whatever the edges, and a chain of 5,000 steps does not overflow the stack', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), (seeds) => {
      const items = seeds.map((seed, index) =>
        planned(`t${index}`, 1, { after: index === 0 ? [] : [transferName(`t${seed % index}`)] }, 'none'),
      )
      const graph = buildGraph([...items].reverse(), nodes)
      const rank = new Map(graph.steps.map((step, index) => [step.id, index]))
      return graph.steps.every((step) =>
        step.after.every((parent) => (rank.get(parent) ?? Infinity) < (rank.get(step.id) ?? -1)),
      )
    }),
  )
  const chain = Array.from({ length: 5000 }, (_, index) =>
    planned(`t${index}`, 1, { after: index === 0 ? [] : [transferName(`t${index - 1}`)] }, 'none'),
  )
  expect(buildGraph(chain, nodes).steps.at(-1)?.id).toBe('t4999.copy')
})

test('a cycle that the rules let through is a bug, not a hang', () => {
  const [a, b] = buildGraph([planned('a', 1, {}, 'none'), planned('b', 1, {}, 'none')], nodes).steps
  if (a === undefined || b === undefined) throw new Error('two steps')
  expect(() =>
    stepGraph([
      { ...a, after: [b.id] },
      { ...b, after: [a.id] },
    ]),
  ).toThrow('the steps form a cycle')
})
