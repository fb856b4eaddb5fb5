/** What a mirror is to delete: found, judged against the plan's limit, and named in a file. */

import path from 'node:path'
import { failWith, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import { readDeletes, writeDeletesFile } from '../edge/deletes-file.ts'
import { findExtras, type Extras } from '../edge/extras.ts'
import { resolved } from '../edge/survey-ends.ts'
import { placeAsker, type AskingWith } from '../edge/survey-ground.ts'
import type { Survey } from '../edge/survey.ts'
import { compileFilter } from '../inventory/filter.ts'
import { liesIn } from '../plan/paths.ts'
import { namesAreBytes, type Location, type Plan, type Transfer } from '../plan/plan.ts'
import type { Shard } from '../shard/shard.ts'
import { linkWay } from '../tools/rclone-links.ts'
import { placeText } from '../tools/rclone-place.ts'
import { sshPath } from '../tools/ssh.ts'
import { formatBytes, formatCount, formatPlural } from '../view/format.ts'
import { DELETES_SHOWN } from '../view/preview-deletes.ts'
import { destinationNaming } from './naming.ts'
import type { PrepareContext } from './prepare.ts'

export type Deletes =
  /** Not all will be delivered, so that nothing may be deleted. `why` is half a sentence. */
  { readonly kind: 'withheld'; readonly why: string } | PlannedDeletes

export interface PlannedDeletes extends Extras {
  readonly kind: 'planned'
  /** The first names, printable. */
  readonly first: readonly string[]
  /** All names, printable, where there are more. */
  readonly file?: string
  /** It is not to be done without a confirmation. */
  readonly refusal?: Diagnostic
}

/** Deletions a second, at least, as an estimate: each is a look and an unlink, or a request. */
const DELETES_PER_SECOND = 500

/**
 * Undefined where nothing is too much, or nothing is to be deleted. Fails SX355 for a single file, SX356 where the
 * destination holds another place of the plan, SX358 where it takes names for others, and as `findExtras`.
 */
export async function planDeletes(
  context: PrepareContext,
  transfer: Transfer,
  survey: Survey,
  asking: AskingWith,
): Promise<Result<Deletes | undefined>> {
  if (transfer.mirror === undefined) return ok(undefined)
  if (survey.single !== undefined)
    return failWith(
      'SX355',
      `transfer ${transfer.name}: a single file can not be mirrored`,
      'Write `mode: copy`, or name a directory as `from`.',
      'Everything else beside it would be deleted.',
    )
  const { destinationRoot, destinationState, refused, listingErrors } = survey
  const apart = await checkNothingInside(context.plan, transfer, destinationRoot)
  if (!apart.ok) return apart
  if (destinationState !== 'filled') return ok(undefined)
  if (listingErrors.count > 0)
    return withheld(`${formatPlural(listingErrors.count, 'place')} of the source could not be listed`)
  if (refused.count > 0)
    return withheld(`${formatPlural(refused.count, 'entry', 'entries')} can not be delivered`)
  const extras = await searchExtras(context, transfer, survey, asking)
  if (!extras.ok) return extras
  const count = countOf(extras.value)
  if (count === 0) return ok(undefined)
  const first = await readDeletes(extras.value.listPath, DELETES_SHOWN)
  const file = path.join(context.stateDir, 'deletes', `${transfer.name}.txt`)
  if (count > DELETES_SHOWN) {
    const written = await writeDeletesFile(context.stateDir, file, extras.value.listPath)
    if (!written.ok) return written
  }
  const refusal = context.confirmed.has(transfer.name) ? undefined : refusalOf(transfer, survey, extras.value)
  return ok({
    kind: 'planned',
    ...extras.value,
    first,
    ...(count > DELETES_SHOWN ? { file } : {}),
    ...(refusal === undefined ? {} : { refusal }),
  })
}

export function countOf({ files, directories, symlinks, others }: Extras): number {
  return files + directories + symlinks + others
}

/** All in one, so that one worker deletes. */
export function deletesShard(deletes: PlannedDeletes): Shard {
  const { files, directories, symlinks, others, bytes } = deletes
  return {
    id: '00001',
    files: files + others,
    directories,
    symlinks,
    bytes,
    costSeconds: countOf(deletes) / DELETES_PER_SECOND,
    units: 1,
    hasHardLinks: false,
  }
}

function withheld(why: string): Result<Deletes> {
  return ok({ kind: 'withheld', why })
}

async function searchExtras(
  context: PrepareContext,
  transfer: Transfer,
  survey: Survey,
  asking: AskingWith,
): Promise<Result<Extras>> {
  const { plan, paths } = context
  const root = survey.destinationRoot
  const filter = compileFilter(transfer.include, transfer.exclude)
  if (!filter.ok) return filter
  if (survey.destinationIgnoresCase)
    return failWith(
      'SX358',
      `the destination ${placeText(root)} shows names otherwise than it takes them`,
      'Write `mode: copy`, and delete by hand.',
      'It takes upper and lower case for one, so that a file that looks too much may be one of the source.',
    )
  const naming = destinationNaming(survey)
  return findExtras({
    root,
    remote: placeAsker(asking),
    filter: filter.value,
    ours: await oursBelow(root, [context.stateDir, plan.file, paths.folder]),
    env: asking.env,
    signal: asking.signal,
    manifestPath: survey.manifestPath,
    listPath: paths.deletes(transfer.name),
    ...(naming === undefined ? {} : { destinationName: naming }),
    keepsLinks: linkWay(transfer, survey.sourceRoot, root) === 'as-files',
    followLinks: transfer.followDestinationLinks,
  })
}

/** What soxplan itself has below the destination. A server may have the same disk under the same name. */
async function oursBelow(root: Location, files: readonly string[]): Promise<readonly string[]> {
  if (!namesAreBytes(root)) return []
  const top = root.kind === 'local' ? await resolved(root.path) : sshPath(root)
  const all = await Promise.all(files.map(async (file) => [file, await resolved(file)]))
  return [...new Set(all.flat())]
    .filter((file) => file !== top && liesIn(file, top))
    .map((file) => Buffer.from(path.relative(top, file)).toString('latin1'))
}

/** By what the paths lead to: the plan was checked by its words alone. */
async function checkNothingInside(
  plan: Plan,
  transfer: Transfer,
  root: Location,
): Promise<Result<undefined>> {
  if (root.kind !== 'local') return ok(undefined)
  const top = await resolved(root.path)
  for (const { name, from, to } of plan.transfers) {
    const places =
      name === transfer.name
        ? [['source', from] as const]
        : [['source', from] as const, ['destination', to] as const]
    for (const [word, place] of places) {
      if (place.kind !== 'local') continue
      const inner = await resolved(place.path)
      if (!liesIn(inner, top)) continue
      return failWith(
        'SX356',
        `transfer ${transfer.name}: the destination ${root.path} holds the ${word} ${place.path} of transfer ${name}`,
        'Choose a destination that holds no other place of the plan, or write `mode: copy`.',
        `A mirror would delete that ${word} as something that does not belong there.`,
      )
    }
  }
  return ok(undefined)
}

/** A source that lost much is often one that is not mounted. */
function refusalOf(transfer: Transfer, survey: Survey, extras: Extras): Diagnostic | undefined {
  const count = countOf(extras)
  const to = placeText(transfer.to)
  const confirm = `if all of it is meant, give the same command with --confirm ${transfer.name}.`
  if (survey.entries === 0)
    return {
      code: 'SX351',
      severity: 'error',
      what: `transfer ${transfer.name}: the source is empty, and \`mode: mirror\` would delete ${formatCount(count)} of the ${formatPlural(extras.entries, 'entry', 'entries')} in ${to} (${formatBytes(extras.bytes)})`,
      why: 'A source that is empty is often one that is not mounted, or the wrong one.',
      todo: `Correct \`from\`, \`include\` or \`exclude\`; ${confirm}`,
    }
  const limit = transfer.mirror?.maxDeleteShare ?? 0
  if (count <= limit * extras.entries) return undefined
  return {
    code: 'SX352',
    severity: 'error',
    what: `transfer ${transfer.name}: \`mode: mirror\` would delete ${formatCount(count)} of the ${formatPlural(extras.entries, 'entry', 'entries')} in ${to} (${percent(count / extras.entries)}), and \`maxDelete\` is ${percent(limit)}`,
    why: 'A source that lost that much is often one that is not mounted, or the wrong one.',
    todo: `Look at the names above; ${confirm}`,
  }
}

/** `10%`, `2.5%`; rounded up, so that what is over a limit never looks like it. */
function percent(share: number): string {
  return `${Math.ceil(share * 1000 - 1e-9) / 10}%`
}
