/** All questions about the places of a plan, each place once. */

import type { Location, Transfer } from '../plan/plan.ts'
import { placeText } from '../tools/rclone-place.ts'
import { profileCheck, remoteCheck, type ConfigContext } from './doctor-config.ts'
import { destinationCheck, sourceCheck } from './doctor-places.ts'
import { shared, type Check } from './doctor-run.ts'
import { keyCheck, knownHostCheck } from './doctor-ssh.ts'

/** First what the endpoints need, then their sources, then all destinations. */
export function placeChecks(context: ConfigContext, planned: readonly Transfer[]): readonly Check[] {
  const transfers = planned.flatMap(withFixupSource)
  const needs = new Map<string, readonly Check[]>()
  for (const { from, to } of transfers)
    for (const end of [from, to])
      if (end.kind !== 'local' && !needs.has(end.endpoint))
        needs.set(
          end.endpoint,
          endpointChecks(context, end).map((check) => ({ ...check, ask: shared(check.ask) })),
        )
  const needsOf = (end: Location): readonly Check[] =>
    end.kind === 'local' ? [] : (needs.get(end.endpoint) ?? [])
  const once = (pick: (transfer: Transfer) => Location): readonly Transfer[] => [
    ...new Map(transfers.map((transfer) => [placeText(pick(transfer)), transfer] as const)).values(),
  ]
  return [
    ...[...needs.values()].flat(),
    ...once(({ from }) => from).map((transfer) => sourceCheck(context, transfer, needsOf(transfer.from))),
    ...once(({ to }) => to).map((transfer) => destinationCheck(context, transfer, needsOf(transfer.to))),
  ]
}

/** The place where a fixup reads is a source as well. */
function withFixupSource(transfer: Transfer): readonly Transfer[] {
  const from = transfer.fixup?.from
  return from === undefined ? [transfer] : [transfer, { ...transfer, from }]
}

function endpointChecks(context: ConfigContext, end: Exclude<Location, { kind: 'local' }>): readonly Check[] {
  switch (end.kind) {
    case 'ssh':
    case 'sftp':
      return [keyCheck(context, end), knownHostCheck(context, end)]
    case 'rclone':
      return [remoteCheck(context, end)]
    case 's3':
      return [profileCheck(context, end)]
  }
}
