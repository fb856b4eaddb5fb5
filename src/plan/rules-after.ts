/** Rules about what waits for what. */

import type { Diagnostic } from '../diagnostic.ts'
import { nearestOrAll } from './nearest.ts'
import { errorOnItem, type Rule, type Seen, type SeenTransfer } from './rule.ts'

/** `afterok:ID`, a Slurm job outside of the plan. */
const SLURM_JOB = /^after[a-z]*:/
/** The one form that is carried out: a job, or one task of an array. */
const AFTEROK = /^afterok:([1-9]\d{0,9}(?:_\d{1,9})?)$/

/** Names of the transfers that `after:` lists, jobs outside of the plan left out. */
export function parentsOf({ written }: SeenTransfer): readonly string[] {
  return (written.after ?? []).flatMap((item) => {
    const name = typeof item === 'string' ? item : item.transfer
    return name === undefined || SLURM_JOB.test(name) ? [] : [name]
  })
}

/** Ids of the Slurm jobs outside of the plan that `after:` lists. */
export function outsideJobsOf({ written }: Pick<SeenTransfer, 'written'>): readonly string[] {
  const items = (written.after ?? []).flatMap((item) => (typeof item === 'string' ? [item] : []))
  return [...new Set(items.flatMap((item) => AFTEROK.exec(item)?.[1] ?? []))]
}

/** Nothing but `afterok:ID`, and nothing of it for what runs here first. */
export const afterNamesJobs: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written }) =>
    (written.after ?? []).flatMap((item) => {
      if (typeof item !== 'string' || !SLURM_JOB.test(item)) return []
      const path = ['transfers', name, 'after']
      if (!AFTEROK.test(item))
        return [
          errorOnItem(seen, path, item, {
            code: 'SX187',
            what: `'${item}' is no Slurm job that a transfer can wait for`,
            todo: 'Write `afterok:ID`, where ID is one job, such as 12345, or one task of an array, such as 12345_0.',
          }),
        ]
      if (written.where !== 'login') return []
      return [
        errorOnItem(seen, path, item, {
          code: 'SX128',
          what: `'${name}' runs on the login node and cannot wait for a Slurm job`,
          why: 'Transfers with `where: login` run before anything is submitted.',
          todo: `Write \`where: slurm\` for '${name}', or remove this \`after\`.`,
        }),
      ]
    }),
  )

export const afterNamesTransfers: Rule = (seen) =>
  seen.transfers.flatMap((transfer) =>
    parentsOf(transfer)
      .filter((parent) => !seen.transferNames.has(parent))
      .map((parent) => {
        const others = [...seen.transferNames].filter((name) => name !== transfer.name)
        return errorOnItem(seen, ['transfers', transfer.name, 'after'], parent, {
          code: 'SX122',
          what: `'after' names '${parent}', which is not a transfer of this plan`,
          todo:
            others.length === 0
              ? 'Remove it: the plan has no other transfer.'
              : nearestOrAll(parent, others, 'Other transfers'),
        })
      }),
  )

/** One diagnostic per cycle, at the first of its transfers in the file, with a shortest way round. */
export const afterHasNoCycle: Rule = (seen) => {
  const parents = new Map(seen.transfers.map((transfer) => [transfer.name, parentsOf(transfer)]))
  const reported = new Set<string>()
  const problems: Diagnostic[] = []
  for (const { name } of seen.transfers) {
    if (reported.has(name)) continue
    const cycle = shortestCycle(name, parents)
    if (cycle === undefined) continue
    for (const member of cycle) reported.add(member)
    problems.push(cycleDiagnostic(seen, cycle))
  }
  return problems
}

function cycleDiagnostic(seen: Seen, cycle: readonly string[]): Diagnostic {
  const [first = '', second = first] = cycle
  const path = ['transfers', first, 'after']
  if (cycle.length === 1) {
    return errorOnItem(seen, path, first, {
      code: 'SX123',
      what: `'${first}' waits for itself`,
      todo: 'Remove it from its own `after`.',
    })
  }
  return errorOnItem(seen, path, second, {
    code: 'SX123',
    what: 'Transfers wait for each other in a circle',
    why: `Each waits for the next: ${[...cycle, first].join(' → ')}.`,
    todo: 'Remove one `after` of these, so that one of them can start.',
  })
}

/** The names from `start` along `after` back to it, without the closing `start`; undefined when it leads nowhere back. */
function shortestCycle(
  start: string,
  parents: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const parent of parents.get(next) ?? []) {
      if (parent === start) return wayTo(next, start, cameFrom)
      if (cameFrom.has(parent)) continue
      cameFrom.set(parent, next)
      queue.push(parent)
    }
  }
  return undefined
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [end]
  for (let at = end; at !== start;) {
    at = cameFrom.get(at) ?? start
    way.unshift(at)
  }
  return way
}

/** Login transfers run before anything is submitted, so they cannot wait for a job. */
export const loginRunsFirst: Rule = (seen) => {
  const onSlurm = new Set(
    seen.transfers.filter(({ written }) => written.where !== 'login').map(({ name }) => name),
  )
  return seen.transfers
    .filter(({ written }) => written.where === 'login')
    .flatMap((transfer) =>
      parentsOf(transfer)
        .filter((parent) => onSlurm.has(parent))
        .map((parent) =>
          errorOnItem(seen, ['transfers', transfer.name, 'after'], parent, {
            code: 'SX128',
            what: `'${transfer.name}' runs on the login node and cannot wait for '${parent}', which runs as Slurm jobs`,
            why: 'Transfers with `where: login` run before anything is submitted.',
            todo: `Write \`where: login\` for '${parent}' too, or \`where: slurm\` for '${transfer.name}', or remove this \`after\`.`,
          }),
        ),
    )
}
