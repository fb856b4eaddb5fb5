/** Rules about `tool: aws`: what `aws s3 sync` has no word for is an error, never left out in silence. */

import { errorOn, type Rule } from './rule.ts'
import type { Finding } from './source.ts'
import type { WrittenTransfer } from './written.ts'

type Wrong = readonly [path: readonly string[], finding: Omit<Finding, 'code'>]

const RATHER = 'Write `tool: rclone`, or remove the field.'

export const awsCanDoIt: Rule = (seen) =>
  seen.transfers.flatMap(({ name, written }) =>
    written.tool !== 'aws'
      ? []
      : wrongFields(written).map(([path, finding]) =>
          errorOn(seen, ['transfers', name, ...path], { code: 'SX139', ...finding }),
        ),
  )

function wrongFields(written: WrittenTransfer): readonly Wrong[] {
  const { existing, compare, verify, symlinks, followDestinationLinks, bandwidth } = written
  const wrong: Wrong[] = []
  for (const field of ['include', 'exclude'] as const)
    if ((written[field] ?? []).length > 0)
      wrong.push([
        [field],
        {
          what: `aws cannot be told '${field}'`,
          why: 'In its patterns `*` also stands for slashes, so that they mean something else.',
          todo: RATHER,
        },
      ])
  if (existing !== undefined && existing !== 'update')
    wrong.push([
      ['existing'],
      {
        what: `aws cannot do 'existing: ${existing}'`,
        why: 'It writes over every file of another size.',
        todo: RATHER,
      },
    ])
  if (compare === 'size+mtime' || compare === 'checksum')
    wrong.push([
      ['compare'],
      {
        what: `aws cannot do 'compare: ${compare}'`,
        why: 'It keeps no modification times and compares no contents.',
        todo: RATHER,
      },
    ])
  if (symlinks === 'keep')
    wrong.push([
      ['symlinks'],
      {
        what: "aws cannot do 'symlinks: keep'",
        why: 'A bucket holds no symlinks, and aws has nothing that stands for one.',
        todo: 'Write `symlinks: follow` or `symlinks: skip`, or `tool: rclone`.',
      },
    ])
  if (verify === 'size+mtime')
    wrong.push([
      ['verify'],
      {
        what: "'verify: size+mtime' cannot hold with 'tool: aws'",
        why: 'It keeps no modification times.',
        todo: 'Write `verify: size` or `verify: checksum`, or `tool: rclone`.',
      },
    ])
  if (followDestinationLinks === true)
    wrong.push([
      ['followDestinationLinks'],
      {
        what: 'aws does not write through symlinks at the destination',
        why: 'It puts a file in the place of each.',
        todo: RATHER,
      },
    ])
  return [...wrong, ...wrongOptions(written.options?.aws ?? {}, bandwidth !== undefined)]
}

function wrongOptions(
  options: Readonly<Record<string, string | number | boolean>>,
  isLimited: boolean,
): readonly Wrong[] {
  const client = options['preferred_transfer_client']
  return [
    ...(isLimited && (client === 'crt' || client === 'auto')
      ? [
          [
            ['options', 'aws', 'preferred_transfer_client'],
            {
              what: `With 'preferred_transfer_client: ${client}' aws does not keep to 'bandwidth'`,
              todo: 'Write `preferred_transfer_client: classic`, or remove it or `bandwidth`.',
            },
          ] as const,
        ]
      : []),
    ...Object.entries(options)
      .filter(([, value]) => value === 'off')
      .map(([option]): Wrong => [
        ['options', 'aws', option],
        { what: `aws has no 'off' for '${option}'`, todo: 'Write a size such as 64Mi, or remove it.' },
      ]),
  ]
}
