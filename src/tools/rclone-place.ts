/** How rclone is told where a place is. */

import { namesAreBytes, type Location, type S3Location, type SshLocation } from '../plan/plan.ts'
import { sshOptions } from './ssh.ts'
import type { CopyCommand, TransferEnd } from './tool.ts'

type Setting = readonly [name: string, value: string | number | boolean | undefined]

/** `remote:path`, a path, or a connection string: everything about the place but its secrets. */
export function rclonePlace(location: Location): string {
  switch (location.kind) {
    case 'local':
      return location.path
    case 'rclone':
      return `${location.remote}:${location.path}`
    case 's3':
      return `${onTheFly('s3', s3Settings(location))}${[location.bucket, location.path].filter(Boolean).join('/')}`
    case 'ssh':
    case 'sftp':
      return `${onTheFly('sftp', sftpSettings(location))}${location.path}`
  }
}

/**
 * The same for what is known to be a folder. Without a slash at its end rclone first asks a bucket for an object of that
 * name, a request for each call, and takes it for one where an answer says neither yes nor no (1.75).
 */
export function rcloneFolder(location: Location): string {
  const place = rclonePlace(location)
  return location.kind === 's3' && location.path !== '' ? `${place}/` : place
}

/** The place of an entry below `location`. */
export function rclonePlaceBelow(location: Location, name: string): string {
  const path = location.path === '' || location.path.endsWith('/') ? location.path : `${location.path}/`
  return rclonePlace({ ...location, path: `${path}${name}` })
}

/** Both places of a single file; undefined where there are many. */
export function singlePlaces(source: TransferEnd, destination: TransferEnd): CopyCommand['single'] {
  if (source.name === undefined || destination.name === undefined) return undefined
  return {
    source: rclonePlaceBelow(source.root, source.name),
    destination: rclonePlaceBelow(destination.root, destination.name),
  }
}

/** What a person would call it: `endpoint:path`, or the path. */
export function placeText(location: Location): string {
  return location.kind === 'local' ? location.path : `${location.endpoint}:${location.path}`
}

/** A configuration that holds nothing where none is needed: rclone complains about a missing one, and reads any other. */
export function rcloneConfigFlags(...places: readonly Location[]): readonly string[] {
  const remotes = places.filter((location) => location.kind === 'rclone')
  if (remotes.length === 0) return ['--config=/dev/null']
  const config = remotes.find(({ configPath }) => configPath !== undefined)?.configPath
  return config === undefined ? [] : [`--config=${config}`]
}

/**
 * Variables that the tools of a transfer need for its places: paths, never secrets. The credentials file is one of them,
 * because rclone reads its own setting for it only up to 1.67, and aws has none.
 */
export function placeEnvironment(...places: readonly Location[]): Readonly<Record<string, string>> {
  const file = places.flatMap((location) => (location.kind === 's3' ? (location.credentials ?? []) : []))[0]
  return file === undefined ? {} : { AWS_SHARED_CREDENTIALS_FILE: file }
}

/**
 * Between two places that are not disks: `server-side` where the service copies by itself, which rclone asks it for when
 * both places are one and the same to it but for bucket and path. Undefined where an end is a disk, and where only rclone
 * knows what its remotes can do.
 */
export function routeOf(from: Location, to: Location): 'server-side' | 'streamed' | undefined {
  if (from.kind === 'local' || to.kind === 'local') return undefined
  if (from.kind === 's3' && to.kind === 's3')
    return onTheFly('s3', s3Settings(from)) === onTheFly('s3', s3Settings(to)) ? 'server-side' : 'streamed'
  if (from.kind === 'rclone' && to.kind === 'rclone') return undefined
  return 'streamed'
}

/** Symlinks, directories and times of a place are rclone's to tell. */
export function isRcloneNamed(location: Location): boolean {
  return !namesAreBytes(location)
}

/** As rclone reads lists of words: each with a space or a quote in quotes, which are doubled inside. */
function spaceSeparated(words: readonly string[]): string {
  return words.map((word) => (/[\s"]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word)).join(' ')
}

function onTheFly(type: string, settings: readonly Setting[]): string {
  const said = settings.filter(([, value]) => value !== undefined)
  return `:${type}${said.map(([name, value]) => `,${name}=${settingValue(String(value))}`).join('')}:`
}

/** In double quotes, which are doubled inside, wherever the value could end early (rclone docs, "Connection strings"). */
function settingValue(value: string): string {
  return /^[\w./@+~-]*$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`
}

function s3Settings(location: S3Location): readonly Setting[] {
  const { provider, service, region, profile } = location
  return [
    ['provider', provider ?? (service === undefined ? 'AWS' : 'Other')],
    // Keys come from the profile's file, or from the role of the machine.
    ['env_auth', true],
    ['profile', profile],
    ['region', region],
    ['endpoint', service],
    // Of a key with a control character it makes an answer that is no XML, which 1.60 asks for again for 40 s before it asks
    // for an encoded one. The service has known of those since 2016, and rclone does not ask it for them by itself.
    ['list_url_encode', provider === 'Ceph' ? true : undefined],
    // A copy would ask for the bucket and try to make it, once per call.
    ['no_check_bucket', true],
  ]
}

/**
 * Over a server on the way rclone speaks through ssh, which it then gives nothing of its own to. A `--` in front of the
 * host would keep ssh from seeing the `-s sftp` that rclone puts behind it.
 */
function sftpSettings({ server }: SshLocation): readonly Setting[] {
  if (server.jump !== undefined)
    return [
      ['ssh', spaceSeparated([...sshOptions(server), server.host])],
      ['shell_type', 'unix'],
    ]
  return [
    ['host', server.host],
    ['user', server.user],
    ['port', server.port],
    ['key_file', server.key],
    ['known_hosts_file', server.knownHosts],
    // Without it rclone tries commands at every start to find out.
    ['shell_type', 'unix'],
  ]
}
