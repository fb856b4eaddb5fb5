/** `endpoint:path` or an absolute path → a place that can be compared with others. */

import type { Location } from './plan.ts'
import { absolutePath, cleanPath, segmentsOf } from './paths.ts'
import type { Finding } from './source.ts'
import { didYouMean } from './nearest.ts'
import type { WrittenEndpoint, WrittenPlan, WrittenS3, WrittenSsh } from './written.ts'

/** A location made out. Places of one `space` share a tree of names, of which `segments` is a path. */
export interface Spot {
  readonly type: 'local' | 'rclone' | 's3' | 'ssh'
  /** Absent for a path that was written without an endpoint. */
  readonly endpoint?: string
  readonly space: string
  readonly segments: readonly string[]
  /** Absent where the endpoint lacks what the schema asks for, which was reported there. */
  readonly location?: Location
  /** Written with a closing slash, or the top of its space. */
  readonly isDirectory: boolean
}

export interface Surroundings {
  readonly folder: string
  readonly home: string
  readonly endpoints: WrittenPlan['endpoints']
  /** Every endpoint name that stands in the file, those with mistakes too. */
  readonly endpointNames: ReadonlySet<string>
}

/** `undefined` when the endpoint itself is wrong, which was reported where it is declared. */
export function readLocation(written: string, around: Surroundings): Spot | Finding | undefined {
  const forbidden = forbiddenIn(written)
  if (forbidden !== undefined) return forbidden
  if (written.startsWith('/') || written === '~' || written.startsWith('~/')) {
    return localSpot(absolutePath(written, around.folder, around.home), written)
  }
  const [, name, path = ''] = /^([^/:]*):(.*)$/s.exec(written) ?? []
  if (name !== undefined) return remoteSpot(name, path, around)
  if (written.startsWith('~')) {
    return location("'~' stands for your own home only", 'Write the absolute path, such as /home/bob/data.')
  }
  return location(
    'A location that is neither absolute nor at an endpoint',
    `Write ${cleanPath(`${around.folder}/${written}`)} if it lies beside the plan, or endpoint:path.`,
    'A relative path would mean something else for every folder that a job starts in.',
  )
}

export function isSpot(result: Spot | Finding): result is Spot {
  return 'space' in result
}

function forbiddenIn(written: string): Finding | undefined {
  if (/\0/.test(written))
    return location('A path holds a NUL character', 'Remove it: no file name can hold one.')
  if (/\p{Surrogate}/u.test(written)) {
    return location(
      'A path is not valid Unicode',
      'Write the name without `\\u` escapes; half a character cannot be part of a name.',
    )
  }
  const isLocal = /^[/~]/.test(written)
  const path = isLocal ? written : written.slice(written.indexOf(':') + 1)
  if (!path.split('/').includes('..')) return undefined
  return location(
    "A path goes up with '..'",
    written.startsWith('/') ? `Write ${cleanPath(written)} instead.` : 'Write the path without it.',
    'Behind a symbolic link it would lead elsewhere than it reads.',
  )
}

function location(what: string, todo: string, why?: string): Finding {
  return { code: 'SX121', what, why, todo }
}

function localSpot(path: string, written: string, endpoint?: string): Spot {
  return {
    type: 'local',
    ...(endpoint === undefined ? {} : { endpoint }),
    space: 'local',
    segments: segmentsOf(path),
    location: { kind: 'local', path },
    isDirectory: path === '/' || written === '' || written.endsWith('/'),
  }
}

function remoteSpot(name: string, path: string, around: Surroundings): Spot | Finding | undefined {
  if (!around.endpointNames.has(name)) {
    return {
      code: 'SX120',
      what: `The endpoint '${name}' is not declared`,
      todo: didYouMean(
        name,
        around.endpointNames,
        `Declare it under \`endpoints:\`, such as \`${/^[A-Za-z][\w-]*$/.test(name) ? name : 'store'}: { type: rclone }\`.`,
      ),
    }
  }
  const endpoint = around.endpoints?.[name]
  return endpoint === undefined ? undefined : spotAt(name, endpoint, path, around)
}

function spotAt(
  name: string,
  endpoint: WrittenEndpoint,
  path: string,
  around: Surroundings,
): Spot | undefined {
  const common = {
    endpoint: name,
    segments: segmentsOf(path),
    isDirectory: path === '' || path.endsWith('/'),
  }
  switch (endpoint.type) {
    case undefined:
      return undefined
    case 'local': {
      if (endpoint.path === undefined) return undefined
      return localSpot(
        cleanPath(`${absolutePath(endpoint.path, around.folder, around.home)}/${path}`),
        path,
        name,
      )
    }
    case 'rclone': {
      const remote = endpoint.remote ?? name
      const config = absolutePath(
        endpoint.config ?? '~/.config/rclone/rclone.conf',
        around.folder,
        around.home,
      )
      const configPath = endpoint.config === undefined ? {} : { configPath: config }
      const location: Location = {
        kind: 'rclone',
        endpoint: name,
        remote,
        ...configPath,
        path: remotePath(path),
      }
      return { ...common, type: 'rclone', space: `rclone ${config} ${remote}`, location }
    }
    case 's3':
      return { ...common, ...s3Spot(name, endpoint, path, around) }
    case 'ssh':
      return { ...common, ...sshSpot(name, endpoint, path, around) }
  }
}

type RemoteSpot = Pick<Spot, 'type' | 'space' | 'location'>

function s3Spot(name: string, endpoint: WrittenS3, path: string, around: Surroundings): RemoteSpot {
  const { bucket, endpoint: service, region, provider, profile, credentials, maxConnections } = endpoint
  const space = `s3 ${service ?? ''} ${bucket ?? name}`
  if (bucket === undefined) return { type: 's3', space }
  const location: Location = {
    kind: 's3',
    endpoint: name,
    bucket,
    ...(service === undefined ? {} : { service }),
    ...(region === undefined ? {} : { region }),
    ...(provider === undefined ? {} : { provider }),
    ...(profile === undefined ? {} : { profile }),
    ...(credentials === undefined
      ? {}
      : { credentials: absolutePath(credentials, around.folder, around.home) }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    path: remotePath(path).replace(/^\/+/, ''),
  }
  return { type: 's3', space, location }
}

/** OpenSSH lets ten in that have not logged in yet before it drops some; a server may be shared with others. */
const DEFAULT_SSH_CONNECTIONS = 8
const SSH_PORT = 22

function sshSpot(name: string, endpoint: WrittenSsh, path: string, around: Surroundings): RemoteSpot {
  const { host, user, port = SSH_PORT, key, knownHosts, jump, maxConnections } = endpoint
  const space = `ssh ${user ?? ''}@${host ?? name}:${port}`
  if (host === undefined) return { type: 'ssh', space }
  const absolute = (file: string): string => absolutePath(file, around.folder, around.home)
  const location: Location = {
    kind: 'ssh',
    endpoint: name,
    server: {
      host,
      port,
      ...(user === undefined ? {} : { user }),
      ...(key === undefined ? {} : { key: absolute(key) }),
      knownHosts: absolute(knownHosts ?? '~/.ssh/known_hosts'),
      ...(jump === undefined ? {} : { jump }),
      maxConnections: maxConnections ?? DEFAULT_SSH_CONNECTIONS,
    },
    // The home there is where every command starts, so that `~/x` and `x` are one place.
    path: remotePath(path.replace(/^~(\/|$)/, '')).replaceAll(/\/{2,}/g, '/'),
  }
  return { type: 'ssh', space, location }
}

/** Without `.` segments and closing slashes. Doubled and leading slashes mean something on some remotes, so they stay. */
function remotePath(path: string): string {
  const plain = path.split('/').filter((segment) => segment !== '.')
  return plain.join('/').replace(/(?<=.)\/+$/s, '')
}
