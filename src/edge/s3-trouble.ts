/** What rclone says when a bucket can not be looked at, in words that say what to do. */

import { failWith } from '../diagnostic.ts'
import type { S3Location } from '../plan/plan.ts'

interface Trouble {
  readonly pattern: RegExp
  readonly code: string
  readonly what: (location: S3Location) => string
  readonly todo: (location: S3Location) => string
}

const profile = (location: S3Location): string => location.profile ?? 'default'
const keysFile = (location: S3Location): string => location.credentials ?? '~/.aws/credentials'
const service = (location: S3Location): string => location.service ?? 'AWS'

/**
 * In the words of both of rclone's libraries for S3 (that of 1.60 and that of 1.75). A HEAD has no body, so its answer has a
 * number and no code: what has a code comes first.
 */
const troubles: readonly Trouble[] = [
  {
    pattern:
      /NoCredentialProviders|failed to get shared config profile|get credentials:|SharedConfig|static credentials are empty/i,
    code: 'SX231',
    what: (location) => `there are no keys for the profile '${profile(location)}'`,
    todo: (location) =>
      `Put them under [${profile(location)}] in ${keysFile(location)} (\`aws configure --profile ${profile(location)}\` does), or correct \`profile\` and \`credentials\` of the endpoint.`,
  },
  {
    pattern: /InvalidAccessKeyId/,
    code: 'SX232',
    what: (location) => `the service does not know the key id of the profile '${profile(location)}'`,
    todo: (location) =>
      `Correct aws_access_key_id in ${keysFile(location)}, or \`endpoint\` in the plan: keys of one service are unknown to others.`,
  },
  {
    pattern: /SignatureDoesNotMatch/,
    code: 'SX233',
    what: (location) => `the secret of the profile '${profile(location)}' does not belong to its key id`,
    todo: (location) => `Correct aws_secret_access_key in ${keysFile(location)}.`,
  },
  {
    pattern:
      /ExpiredToken|TokenRefreshRequired|InvalidToken|InvalidClientTokenId|token (?:included in the request )?(?:has|is) expired/i,
    code: 'SX234',
    what: (location) => `the keys of the profile '${profile(location)}' have expired`,
    todo: (location) =>
      `Fetch new ones into ${keysFile(location)} (\`aws sso login\`, or whoever gave them out), valid until the transfer is over.`,
  },
  {
    pattern: /RequestTimeTooSkewed|RequestExpired/,
    code: 'SX230',
    what: () => "this machine's clock and the service's are too far apart",
    todo: () => 'Set the clock: `timedatectl` says whether it is synchronised.',
  },
  {
    pattern:
      /PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|BucketRegionError|incorrect region/i,
    code: 'SX239',
    what: ({ bucket }) => `the bucket ${bucket} lies in another region`,
    todo: ({ bucket }) =>
      `Write its \`region\` at the endpoint; \`aws s3api get-bucket-location --bucket ${bucket}\` names it.`,
  },
  {
    pattern: /NoSuchBucket|directory not found/,
    code: 'SX236',
    what: (location) => `there is no bucket ${location.bucket} at ${service(location)}`,
    todo: () => 'Correct `bucket` or `endpoint` in the plan, or make the bucket: soxplan makes none.',
  },
  {
    pattern: /AccessDenied|AllAccessDisabled|AccountProblem|Forbidden|StatusCode: 403|status code: 403/,
    code: 'SX235',
    what: (location) => `the profile '${profile(location)}' may not list the bucket ${location.bucket}`,
    todo: () =>
      'Ask the owner of the bucket for the right to list it (s3:ListBucket), or name another profile.',
  },
  {
    pattern:
      /server gave HTTP response to HTTPS client|malformed HTTP|x509:|tls: |SerializationError|deserialization failed/,
    code: 'SX238',
    what: (location) => `what answers at ${service(location)} does not speak S3, or not as it is spoken to`,
    todo: () =>
      'Write the address of the S3 service as `endpoint`, not that of a web page for people, with https:// or http:// as it is served.',
  },
  {
    pattern:
      /no such host|connection refused|connection reset|i\/o timeout|timed? ?out|no route to host|network is unreachable|EOF|it did not answer/i,
    code: 'SX237',
    what: (location) => `${service(location)} can not be reached`,
    todo: () =>
      'See that `endpoint` and `region` are right and that this machine and the nodes may connect; a proxy has to be handed on with `environment: { pass: [HTTPS_PROXY, NO_PROXY] }`.',
  },
]

/** `said` is all that rclone said. `shellKeys`: keys stand in the environment, which no job gets. Undefined: none of the known ones. */
export function s3Failure(
  location: S3Location,
  said: string,
  shellKeys: boolean,
): ReturnType<typeof failWith> | undefined {
  const found = troubles.find(({ pattern }) => pattern.test(said))
  if (found === undefined) return undefined
  const why =
    found.code === 'SX231' && shellKeys
      ? 'AWS_ACCESS_KEY_ID stands in the environment of this shell, which jobs do not get: it would put a secret where others can read it.'
      : undefined
  return failWith(
    found.code,
    `endpoint ${location.endpoint}: ${found.what(location)}`,
    found.todo(location),
    why,
  )
}
