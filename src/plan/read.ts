/** Plan text → `Plan`, or everything that is wrong with it. The only entry to `plan/`. */

import { fail, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import { placeOfValue, type Path } from './locate.ts'
import { isSpot, readLocation, type Spot, type Surroundings } from './location.ts'
import { normalise } from './normalise.ts'
import { parseText } from './parse.ts'
import type { Plan } from './plan.ts'
import type { Rule, Seen, SeenTransfer } from './rule.ts'
import { afterHasNoCycle, afterNamesJobs, afterNamesTransfers, loginRunsFirst } from './rules-after.ts'
import { awsCanDoIt } from './rules-aws.ts'
import { credentialsAreOfOneFile, endpointsAreUsable } from './rules-endpoints.ts'
import {
  fixupFitsLinks,
  fixupHasOneServer,
  fixupReadsAttributes,
  fixupTimesFit,
  fixupWritesAttributes,
} from './rules-fixup.ts'
import { maxDeleteIsUsed, mirrorIsProven } from './rules-mirror.ts'
import { destinationsAreApart, placesDoNotOverlap, sourcesAreNotWritten } from './rules-places.ts'
import {
  bandwidthIsEnough,
  noProof,
  optionsAreUsed,
  proofFitsComparison,
  toolReachesPlaces,
  umaskIsUsable,
  weakComparison,
} from './rules-policy.ts'
import {
  exclusiveIsSaidOnce,
  extraOptionsAreAllowed,
  passedVariablesAreHarmless,
  timeIsNotZero,
} from './rules-slurm.ts'
import { checkSchema } from './schema.ts'
import { errorAt, type Source } from './source.ts'
import { readTree, type MapNode } from './tree.ts'
import { afterFormsNotYet } from './unsupported.ts'
import { expandVariables } from './vars.ts'
import type { WrittenPlan } from './written.ts'

export interface PlanText {
  readonly text: string
  /** Absolute path of the plan file, shown in diagnostics. */
  readonly file: string
  /** Absolute path of the folder that relative paths in the plan count from. */
  readonly folder: string
  /** Absolute path that `~` stands for. */
  readonly home: string
  /** `--var name=value`. */
  readonly vars: Readonly<Record<string, string>>
  /** What `${env.NAME}` is looked up in. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface ReadPlan {
  readonly plan: Plan
  readonly warnings: readonly Diagnostic[]
}

const rules: readonly Rule[] = [
  endpointsAreUsable,
  credentialsAreOfOneFile,
  afterNamesTransfers,
  afterNamesJobs,
  afterHasNoCycle,
  loginRunsFirst,
  placesDoNotOverlap,
  destinationsAreApart,
  sourcesAreNotWritten,
  toolReachesPlaces,
  awsCanDoIt,
  proofFitsComparison,
  fixupWritesAttributes,
  fixupReadsAttributes,
  fixupHasOneServer,
  fixupTimesFit,
  fixupFitsLinks,
  mirrorIsProven,
  maxDeleteIsUsed,
  umaskIsUsable,
  bandwidthIsEnough,
  extraOptionsAreAllowed,
  timeIsNotZero,
  exclusiveIsSaidOnce,
  passedVariablesAreHarmless,
  weakComparison,
  noProof,
  optionsAreUsed,
  afterFormsNotYet,
]

/**
 * Reads a plan. Never throws for any text. All that is wrong comes at once, in the order of the file, each mistake
 * once; only what is no YAML, and an alias bomb, end the reading at once. On failure the warnings are in
 * the list too.
 */
export function readPlan(input: PlanText): Result<ReadPlan> {
  const source: Source = { file: input.file, text: input.text }
  const parsed = parseText(source)
  if (!parsed.ok) return parsed
  const tree = readTree(source, parsed.value)
  // What an alias bomb was cut down to is not what anybody wrote.
  const bomb = tree.problems.filter(({ code }) => code === 'SX108')
  if (bomb.length > 0) return fail(bomb)
  const expanded = expandVariables(source, tree.root, {
    vars: new Map(Object.entries(input.vars)),
    env: input.env,
  })
  const checked = checkSchema(source, expanded.root)
  const seen = look(source, expanded.root, checked.written, input)
  const problems = inOrder([
    ...tree.problems,
    ...expanded.problems,
    ...checked.problems,
    ...seen.problems,
    ...rules.flatMap((rule) => rule(seen.seen)),
  ])
  if (problems.some(({ severity }) => severity === 'error')) return fail(problems)
  return ok({ plan: normalise(checked.written, seen.seen.transfers, input), warnings: problems })
}

function look(
  source: Source,
  root: MapNode,
  written: WrittenPlan,
  { folder, home }: PlanText,
): { readonly seen: Seen; readonly problems: readonly Diagnostic[] } {
  const problems: Diagnostic[] = []
  const around: Surroundings = {
    folder,
    home,
    endpoints: written.endpoints,
    endpointNames: keysUnder(root, 'endpoints'),
  }
  const spotAt = (path: Path, text: string | undefined): Spot | undefined => {
    const found = text === undefined ? undefined : readLocation(text, around)
    if (found === undefined || isSpot(found)) return found
    problems.push(errorAt(source, placeOfValue(root, path), found))
    return undefined
  }
  const transfers: SeenTransfer[] = []
  for (const name of keysUnder(root, 'transfers')) {
    const own =
      written.transfers !== undefined && Object.hasOwn(written.transfers, name)
        ? written.transfers[name]
        : undefined
    if (own === undefined) continue
    const path = ['transfers', name]
    const from = spotAt([...path, 'from'], own.from)
    const to = spotAt([...path, 'to'], own.to)
    const fixupFrom = spotAt([...path, 'fixup', 'from'], own.fixup?.from)
    transfers.push({
      name,
      written: own,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(fixupFrom === undefined ? {} : { fixupFrom }),
    })
  }
  return { seen: { source, root, written, transfers, transferNames: keysUnder(root, 'transfers') }, problems }
}

/** The keys of a map of the plan in the order of the file, those with mistakes too. */
function keysUnder(root: MapNode, field: string): ReadonlySet<string> {
  const node = root.entries.get(field)?.node
  return new Set(node?.kind === 'map' ? node.entries.keys() : [])
}

/** By place, those without one first; of several with one code at one place, the first. */
function inOrder(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const byPlace = new Map<string, Diagnostic>()
  for (const problem of problems) {
    const key = `${problem.code} ${problem.at?.start ?? problem.what}`
    if (!byPlace.has(key)) byPlace.set(key, problem)
  }
  return [...byPlace.values()].sort((a, b) => (a.at?.start ?? -1) - (b.at?.start ?? -1))
}
