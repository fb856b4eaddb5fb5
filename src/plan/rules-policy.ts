/** Rules about the fields of a transfer that must fit each other: tool, places, comparison, proof, umask, bandwidth. */

import type { Spot } from './location.ts'
import type { ToolName } from './plan.ts'
import { MIN_BANDWIDTH, parseBandwidth } from './quantities.ts'
import { errorOn, warningOn, type Rule } from './rule.ts'

const reach: Readonly<Record<ToolName, (from: Spot['type'], to: Spot['type']) => boolean>> = {
  rclone: () => true,
  rsync: (from, to) =>
    [from, to].every((type) => type === 'local' || type === 'ssh') && !(from === 'ssh' && to === 'ssh'),
  aws: (from, to) =>
    [from, to].every((type) => type === 'local' || type === 's3') && (from === 's3' || to === 's3'),
}

const reachWords: Readonly<Record<ToolName, string>> = {
  rclone: '',
  rsync: 'rsync copies between folders, and between a folder and an SSH server.',
  aws: 'aws copies between a folder and an S3 bucket, and between buckets.',
}

export const toolReachesPlaces: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { tool }, from, to }) => {
    if (tool === undefined || tool === 'auto' || from === undefined || to === undefined) return []
    if (reach[tool](from.type, to.type)) return []
    return [
      errorOn(seen, ['transfers', name, 'tool'], {
        code: 'SX132',
        what: `${tool} cannot copy from ${typeWords[from.type]} to ${typeWords[to.type]}`,
        why: reachWords[tool],
        todo: 'Write `tool: rclone`, or leave the choice to soxplan with `tool: auto`.',
      }),
    ]
  })

/** Kinds of places, in the words of messages. */
export const typeWords: Readonly<Record<Spot['type'], string>> = {
  local: 'a folder',
  rclone: 'an rclone remote',
  s3: 'an S3 bucket',
  ssh: 'an SSH server',
}

/** A file that the comparison leaves as it is must not then fail the proof. */
export const proofFitsComparison: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { compare, verify } }) => {
    if (compare !== 'size' || verify !== 'size+mtime') return []
    return [
      errorOn(seen, ['transfers', name, 'verify'], {
        code: 'SX133',
        what: "'verify: size+mtime' cannot hold with 'compare: size'",
        why: 'A file of the same size is left as it is, whatever its time; the proof would then fail on its time.',
        todo: 'Write `verify: size` or `verify: checksum`, or `compare: size+mtime`.',
      }),
    ]
  })

export const umaskIsUsable: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { umask } }) => {
    if (umask === undefined) return []
    const path = ['transfers', name, 'umask']
    const bits = Number.parseInt(umask, 8)
    if ((bits & 0o700) !== 0) {
      return [
        errorOn(seen, path, {
          code: 'SX113',
          what: 'The umask takes rights away from the owner',
          why: 'The copy itself could then not write into the folders that it makes.',
          todo: 'Let the first digit be 0, such as "002" or "027".',
        }),
      ]
    }
    if ((bits & 0o002) !== 0) return []
    return [
      warningOn(seen, path, {
        code: 'SX151',
        what: `With umask "${umask}" everybody may write to the delivered files`,
        todo: 'Write "002" to let the group write, or "022" to let only the owner write.',
      }),
    ]
  })

export const bandwidthIsEnough: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { bandwidth } }) =>
    bandwidth === undefined || parseBandwidth(bandwidth) !== undefined
      ? []
      : [
          errorOn(seen, ['transfers', name, 'bandwidth'], {
            code: 'SX114',
            what: `'bandwidth' is below ${MIN_BANDWIDTH / 1024}KiB/s`,
            why: 'The tools count their limits in KiB/s.',
            todo: 'Write at least 1KiB/s; to stop a transfer altogether, remove it from the plan.',
          }),
        ],
  )

export const weakComparison: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { compare } }) =>
    compare !== 'size'
      ? []
      : [
          warningOn(seen, ['transfers', name, 'compare'], {
            code: 'SX152',
            what: "'compare: size' does not see a change that keeps the size",
            todo: 'Write `compare: auto` unless the times at the destination are known to be wrong.',
          }),
        ],
  )

export const noProof: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { verify } }) =>
    verify !== 'none'
      ? []
      : [
          warningOn(seen, ['transfers', name, 'verify'], {
            code: 'SX153',
            what: "With 'verify: none' the run ends as delivered, not as verified",
            todo: 'Write `verify: auto` for the strongest proof that both places allow at no great cost.',
          }),
        ],
  )

export const optionsAreUsed: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written: { tool, options } }) => {
    if (tool === undefined || tool === 'auto') return []
    return Object.keys(options ?? {})
      .filter((other) => other !== tool)
      .map((other) =>
        warningOn(seen, ['transfers', name, 'options', other], {
          code: 'SX155',
          what: `The options for ${other} are not used`,
          why: `This transfer is carried out with ${tool}.`,
          todo: `Remove them, or write \`tool: ${other}\`.`,
        }),
      )
  })
