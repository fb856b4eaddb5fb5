/** Parts of uploads that were broken off: nobody sees them in a bucket, and somebody pays for them. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import type { S3Location } from '../plan/plan.ts'
import {
  placeEnvironment,
  placeText,
  rcloneConfigFlags,
  rclonePlace,
  rclonePlaceBelow,
} from '../tools/rclone-place.ts'
import { millis } from '../units.ts'
import type { LeftoverContext, NamesByFolder } from './leftovers.ts'
import { run, whyFailed, type Argv } from './process.ts'

const QUESTION_TIMEOUT = millis(300_000)

export interface UploadContext extends LeftoverContext {
  readonly rclonePath: string
}

/** `uploads` can be ended by their keys; `others` stand under a key that begins another's, so that rclone would end both. */
export interface Uploads {
  readonly uploads: readonly string[]
  readonly others: readonly string[]
}

interface Listed {
  readonly Key?: unknown
  readonly Initiated?: unknown
}

/** Uploads of the run's keys that began since the run did. Keys are relative to `root`, in rclone's names. Fails SX341. */
export async function findUploads(
  root: S3Location,
  names: NamesByFolder,
  context: UploadContext,
): Promise<Result<Uploads>> {
  if (names.size === 0) return ok({ uploads: [], others: [] })
  const argv: Argv = [
    context.rclonePath,
    'backend',
    'list-multipart-uploads',
    ...rcloneConfigFlags(root),
    rclonePlace(root),
  ]
  const answer = await run(argv, limits(root, context))
  if (!answer.ok)
    return failWith(
      'SX341',
      `cannot look for what was left behind in ${placeText(root)}`,
      'See that it can be reached, then clean again.',
      whyFailed(answer.error),
    )
  const prefix = root.path === '' ? '' : `${root.path}/`
  const listed = parse(answer.value.stdout, root.bucket)
  const all = new Set(listed.map(({ key }) => key))
  const ours = listed
    .filter(
      ({ key, initiated }) => key.startsWith(prefix) && initiated >= context.since.getTime() - SLACK_MILLIS,
    )
    .map(({ key }) => key)
    .filter((key) => isNamed(key.slice(prefix.length), names))
  const own = new Set(ours)
  // rclone ends every upload below a prefix, and a key is one.
  const isAlone = (key: string): boolean =>
    ![...all].some((other) => other.startsWith(key) && !own.has(other))
  return ok({
    uploads: [...own].filter(isAlone).map((key) => key.slice(prefix.length)),
    others: [...own].filter((key) => !isAlone(key)).map((key) => key.slice(prefix.length)),
  })
}

const SLACK_MILLIS = 3_600_000

function isNamed(key: string, names: NamesByFolder): boolean {
  const raw = Buffer.from(key).toString('latin1')
  const cut = raw.lastIndexOf('/')
  return names.get(cut < 0 ? '.' : `./${raw.slice(0, cut)}`)?.has(raw.slice(cut + 1)) ?? false
}

function parse(json: string, bucket: string): readonly { key: string; initiated: number }[] {
  let value: Readonly<Record<string, readonly Listed[] | null | undefined>>
  try {
    value = JSON.parse(json) as typeof value
  } catch {
    return []
  }
  return (value[bucket] ?? []).flatMap(({ Key, Initiated }) =>
    typeof Key === 'string' && typeof Initiated === 'string'
      ? [{ key: Key, initiated: Date.parse(Initiated) }]
      : [],
  )
}

/** Ends uploads by their keys, relative to `root`. Fails SX342. */
export async function endUploads(
  root: S3Location,
  keys: readonly string[],
  context: UploadContext,
): Promise<Result<undefined>> {
  for (const key of keys) {
    const place = rclonePlaceBelow(root, key)
    const argv: Argv = [
      context.rclonePath,
      'backend',
      'cleanup',
      ...rcloneConfigFlags(root),
      '-o',
      'max-age=0s',
      place,
    ]
    const answer = await run(argv, limits(root, context))
    if (!answer.ok)
      return failWith(
        'SX342',
        `the upload of ${placeText(root)}/${key} could not be ended`,
        'Mend what the message says, then clean again.',
        whyFailed(answer.error),
      )
  }
  return ok(undefined)
}

function limits(root: S3Location, { env, signal }: UploadContext): Parameters<typeof run>[1] {
  return { timeoutMillis: QUESTION_TIMEOUT, env: { ...env, ...placeEnvironment(root) }, stop: signal }
}
