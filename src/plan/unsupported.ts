/**
 * What a plan may say but this version does not carry out yet. Each is an error at its place: a plan never runs in
 * part. A part that is carried out from now on loses its entry here, and nothing else changes.
 */

import { SLURM_JOB } from './rules-after.ts'
import type { Spot } from './location.ts'
import { errorOn, errorOnItem, errorOnKey, type Rule, type Seen } from './rule.ts'

export const endpointsNotYet: Rule = (seen) => {
  const used = new Set(seen.transfers.flatMap(({ from, to }) => [from?.endpoint, to?.endpoint]))
  return Object.entries(seen.written.endpoints ?? {})
    .filter(([name]) => used.has(name))
    .flatMap(([name, { type }]) => {
      if (type !== 'ssh' && type !== 's3') return []
      const path = ['endpoints', name, 'type']
      if (type === 'ssh') {
        return [
          errorOn(seen, path, {
            code: 'SX181',
            what: 'This version does not carry out SSH endpoints yet',
            todo: `Set the server up as an sftp remote (\`rclone config\`), and write \`${name}: { type: rclone, remote: NAME }\`.`,
          }),
        ]
      }
      return [
        errorOn(seen, path, {
          code: 'SX182',
          what: 'This version does not carry out S3 endpoints yet',
          todo: `Set the store up as an rclone remote (\`rclone config\`), write \`${name}: { type: rclone, remote: NAME }\`, and put the bucket in front of the path: \`${name}:BUCKET/path\`.`,
        }),
      ]
    })
}

export const transferPartsNotYet: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written, to }) => {
    const path = ['transfers', name]
    return [
      ...(written.tool === 'aws'
        ? [
            errorOn(seen, [...path, 'tool'], {
              code: 'SX183',
              what: 'This version does not use the aws tool yet',
              todo: 'Write `tool: rclone` or `tool: auto`.',
            }),
          ]
        : []),
      ...(written.mode === 'mirror'
        ? [
            errorOn(seen, [...path, 'mode'], {
              code: 'SX184',
              what: 'This version does not delete anything at the destination yet',
              todo: 'Write `mode: copy`, and remove what is too much by hand once the run is verified.',
            }),
          ]
        : []),
      ...(written.fixup !== undefined
        ? [
            errorOnKey(seen, [...path, 'fixup'], {
              code: 'SX185',
              what: 'This version does not set owners and permissions a second time yet',
              todo: 'Remove `fixup`; with `tool: rsync` permissions and times are kept in the copy itself.',
            }),
          ]
        : []),
      ...(written.where === 'login'
        ? [
            errorOn(seen, [...path, 'where'], {
              code: 'SX186',
              what: 'This version does not run a transfer on the login node yet',
              todo: 'Remove `where`; or put the transfer into a plan of its own and apply it with --executor local.',
            }),
          ]
        : []),
      ...(written.symlinks === 'keep' && isRemote(seen, to)
        ? [
            errorOn(seen, [...path, 'symlinks'], {
              code: 'SX189',
              what: 'This version does not store symlinks on a remote yet',
              todo: 'Write `symlinks: follow` to copy what they lead to, or `symlinks: skip` to leave them out.',
            }),
          ]
        : []),
    ]
  })

function isRemote(seen: Seen, to: Spot | undefined): boolean {
  return to?.endpoint !== undefined && seen.written.endpoints?.[to.endpoint]?.type === 'rclone'
}

export const afterFormsNotYet: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written }) =>
    (written.after ?? []).flatMap((item) => {
      const path = ['transfers', name, 'after']
      if (typeof item === 'string' && SLURM_JOB.test(item)) {
        return [
          errorOnItem(seen, path, item, {
            code: 'SX187',
            what: 'This version does not wait for Slurm jobs outside of the plan yet',
            todo: 'Remove it, and apply the plan from a job that waits: sbatch --dependency=afterok:ID.',
          }),
        ]
      }
      if (typeof item === 'string' || item.allow !== 'partial' || item.transfer === undefined) return []
      return [
        errorOnItem(seen, path, item.transfer, {
          code: 'SX188',
          what: 'This version does not start a transfer after one that is delivered in part yet',
          todo: `Write \`after: [${item.transfer}]\`, or put this transfer into a plan of its own.`,
        }),
      ]
    }),
  )
