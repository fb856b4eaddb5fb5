/** Whether a fixup can be carried out, and from where: looked at before anything is cut. */

import { failWith, ok, type Diagnostic, type Result } from '../diagnostic.ts'
import type { PlaceContext, RemoteLocation } from '../edge/ask-place.ts'
import type { Survey } from '../edge/survey.ts'
import { findSource } from '../edge/survey-ends.ts'
import type { ToolSet } from '../edge/tool-probe.ts'
import { namesAreBytes, type Location, type Transfer } from '../plan/plan.ts'
import { usableTool } from '../tools/choose.ts'
import { connectionsMax } from '../tools/connections.ts'
import { placeText } from '../tools/rclone-place.ts'
import type { TransferEnd } from '../tools/tool.ts'

/** Where attributes are read. */
export interface PlannedFixup {
  readonly source: TransferEnd
  /** Workers that the places bear at once; absent: any number. */
  readonly workersMax?: number
}

/**
 * Undefined where the plan asks for none. Fails SX165 when a server has no rsync or no shell, SX166 when `fixup.from` is a
 * file and `from` a directory or the other way round, SX401 and SX403 for this machine's rsync, and as `findSource` does.
 */
export async function planFixup(
  transfer: Transfer,
  survey: Survey,
  tools: ToolSet,
  remote: (location: RemoteLocation) => PlaceContext,
): Promise<Result<PlannedFixup | undefined>> {
  if (transfer.fixup === undefined) return ok(undefined)
  const source = await findEnd(transfer, survey, remote)
  if (!source.ok) return source
  const { root } = source.value
  for (const place of [root, survey.destinationRoot]) {
    const checked = checkServer(transfer, place)
    if (!checked.ok) return checked
  }
  const rsync = usableTool(tools, 'rsync')
  if (!rsync.ok) return rsync
  const workersMax = connectionsMax(root, survey.destinationRoot)
  return ok({ source: source.value, ...(workersMax === undefined ? {} : { workersMax }) })
}

async function findEnd(
  { name, fixup }: Transfer,
  { sourceRoot, sourceKind, single }: Survey,
  remote: (location: RemoteLocation) => PlaceContext,
): Promise<Result<TransferEnd>> {
  if (fixup?.from === undefined)
    return ok({ root: sourceRoot, ...(single === undefined ? {} : { name: single.from }) })
  const found = await findSource(fixup.from, remote)
  if (!found.ok) return { ok: false, error: found.error.map((one) => ofFixup(name, one)) }
  if (found.value.kind !== sourceKind)
    return failWith(
      'SX166',
      `transfer ${name}: ${placeText(fixup.from)}, where the fixup reads attributes, is a ${found.value.kind}, and the source is a ${sourceKind}`,
      'Correct `from` under `fixup`: it has to hold what the source holds, under the same names.',
    )
  return ok({
    root: found.value.root,
    ...(found.value.name === undefined ? {} : { name: found.value.name }),
  })
}

/** Whoever reads it has to know which of the two sources is meant. */
function ofFixup(transfer: string, diagnostic: Diagnostic): Diagnostic {
  return {
    ...diagnostic,
    what: `transfer ${transfer}, where its fixup reads attributes: ${diagnostic.what}`,
    todo: diagnostic.todo.replace('Correct `from` in the plan.', 'Correct `from` under `fixup`.'),
  }
}

/** On a server rsync is started by its other end, and find looks at what it did. */
function checkServer({ name }: Transfer, place: Location): Result<undefined> {
  if (place.kind === 'local' || (place.kind === 'ssh' && place.rsync !== undefined)) return ok(undefined)
  return failWith(
    'SX165',
    `transfer ${name}: a fixup needs rsync on ${placeText(place)}`,
    'Install rsync there, or remove `fixup`.',
    namesAreBytes(place) ? undefined : 'The server offers files over SFTP, and no shell.',
  )
}
