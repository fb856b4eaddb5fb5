/** Rules about endpoints: what is written there becomes part of command lines, so that each word has to be what it says. */

import { errorOn, type Rule } from './rule.ts'
import type { Finding } from './source.ts'
import type { WrittenEndpoint } from './written.ts'

const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f:]+(?:%[A-Za-z0-9]+)?)$/
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/
const JUMP = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?$/
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/
/** What ssh's ProxyCommand, which a shell reads, can hold as it is. */
const PLAIN_PATH = /^[A-Za-z0-9_./~@+=:,-]+$/

type Wrong = readonly [field: string, finding: Finding]

/** A name of another form would be another word, an option, or a path. */
export const endpointsAreUsable: Rule = (seen) =>
  Object.entries(seen.written.endpoints ?? {}).flatMap(([name, endpoint]) =>
    wrongFields(endpoint).map(([field, finding]) => errorOn(seen, ['endpoints', name, field], finding)),
  )

/** The tools read one credentials file per call. */
export const credentialsAreOfOneFile: Rule = (seen) =>
  seen.transfers.flatMap(({ name, from, to }) => {
    const files = [from, to].map((spot) => (spot?.location?.kind === 's3' ? spot.location : undefined))
    const [one, other] = files
    if (one === undefined || other === undefined || one.credentials === other.credentials) return []
    return [
      errorOn(seen, ['transfers', name, 'to'], {
        code: 'SX138',
        what: `'${one.endpoint}' and '${other.endpoint}' have their keys in different files`,
        why: 'rclone and aws read one credentials file per call.',
        todo: 'Put both profiles into one file, and name it at both endpoints.',
      }),
    ]
  })

function wrongFields(endpoint: WrittenEndpoint): readonly Wrong[] {
  switch (endpoint.type) {
    case 'ssh':
      return [
        ...unlike('host', endpoint.host, HOST, 'a host name or an address', 'login.example.net'),
        ...unlike('user', endpoint.user, USER, 'a user name', 'bob'),
        ...unlike('jump', endpoint.jump, JUMP, 'a server as `user@host:port`', 'bob@gate.example.net'),
        ...(endpoint.jump === undefined ? [] : unplainPaths(endpoint)),
      ]
    case 's3':
      return unlike('bucket', endpoint.bucket, BUCKET, 'the name of a bucket', 'training-data')
    case 'local':
    case 'rclone':
    case undefined:
      return []
  }
}

function unlike(
  field: string,
  value: string | undefined,
  form: RegExp,
  what: string,
  example: string,
): readonly Wrong[] {
  if (value === undefined || form.test(value)) return []
  return [[field, { code: 'SX137', what: `'${field}' is not ${what}`, todo: `Write it like ${example}.` }]]
}

function unplainPaths(endpoint: { readonly key?: string; readonly knownHosts?: string }): readonly Wrong[] {
  return (['key', 'knownHosts'] as const).flatMap((field): readonly Wrong[] => {
    const value = endpoint[field]
    if (value === undefined || PLAIN_PATH.test(value)) return []
    const finding: Finding = {
      code: 'SX137',
      what: `With 'jump', the path in '${field}' may hold letters, digits and ./_@+=:,- only`,
      why: 'ssh gives it to a shell on the way over the other server.',
      todo: 'Give the file a plainer name.',
    }
    return [[field, finding]]
  })
}
