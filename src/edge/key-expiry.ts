/** Until when the keys to a place are good, where a file on this machine says so. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Location, S3Location, SshLocation } from '../plan/plan.ts'
import { millis } from '../units.ts'
import { isSystemError } from './files.ts'
import { run } from './process.ts'

/** `what` names the keys, as in "… expire at". */
export interface KeyExpiry {
  readonly what: string
  readonly at: Date
}

export interface ExpiryContext {
  /** Of the tools. */
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

const KEYGEN_TIMEOUT = millis(10_000)

/** Names under which those who write short-lived keys into a profile put its end. There is no common one. */
const expiryNames = ['aws_session_expiration', 'x_security_token_expires', 'expiration', 'aws_expiration']

/** Empty where nothing says that they end. Never fails: this is only a warning's worth. */
export async function keyExpiries(
  context: ExpiryContext,
  ...places: readonly Location[]
): Promise<KeyExpiry[]> {
  const found = await Promise.all(places.map((place) => expiryOf(context, place)))
  return found.flatMap((expiry) => expiry ?? [])
}

function expiryOf(context: ExpiryContext, place: Location): Promise<KeyExpiry | undefined> {
  switch (place.kind) {
    case 'local':
      return Promise.resolve(undefined)
    case 's3':
      return ofProfile(context, place)
    case 'rclone':
      return ofRemote(context, place.remote, place.configPath)
    case 'ssh':
    case 'sftp':
      return ofCertificate(context, place)
  }
}

async function ofProfile({ env }: ExpiryContext, location: S3Location): Promise<KeyExpiry | undefined> {
  const { HOME = '/', AWS_SHARED_CREDENTIALS_FILE: own, AWS_PROFILE } = env
  const file = location.credentials ?? own ?? path.join(HOME, '.aws', 'credentials')
  const profile = location.profile ?? AWS_PROFILE ?? 'default'
  const settings = settingsOf(await textOf(file), profile)
  const [at] = expiryNames.flatMap((name) => dateOf(settings.get(name)) ?? [])
  return at === undefined ? undefined : { what: `the keys of profile ${profile} in ${file}`, at }
}

/** A token that rclone renews by itself does not end; a signed address does. */
async function ofRemote(
  { env }: ExpiryContext,
  remote: string,
  configPath: string | undefined,
): Promise<KeyExpiry | undefined> {
  const { HOME = '/', XDG_CONFIG_HOME = path.join(HOME, '.config') } = env
  const file = configPath ?? path.join(XDG_CONFIG_HOME, 'rclone', 'rclone.conf')
  const settings = settingsOf(await textOf(file), remote)
  const token = settings.get('token') ?? ''
  const isRenewed = /"refresh_token"\s*:\s*"[^"]/.test(token)
  const ofToken = isRenewed ? undefined : dateOf(/"expiry"\s*:\s*"([^"]+)"/.exec(token)?.[1])
  const signed = /[?&]se=([^&]+)/.exec(settings.get('sas_url') ?? '')?.[1]
  const at = ofToken ?? dateOf(signed?.replaceAll('%3A', ':'))
  return at === undefined ? undefined : { what: `the token of remote ${remote} in ${file}`, at }
}

/** ssh offers the certificate beside a key by itself. */
async function ofCertificate(
  { env, signal }: ExpiryContext,
  { server: { key } }: SshLocation,
): Promise<KeyExpiry | undefined> {
  if (key === undefined || (await textOf(`${key}-cert.pub`)) === '') return undefined
  const certificate = `${key}-cert.pub`
  const answer = await run(['ssh-keygen', '-L', '-f', certificate], {
    timeoutMillis: KEYGEN_TIMEOUT,
    env: { ...env, TZ: 'UTC' },
    stop: signal,
  })
  const until = answer.ok ? /^\s*Valid: .*\b(?:to|before) (\S+)$/m.exec(answer.value.stdout)?.[1] : undefined
  const at = dateOf(until === undefined ? undefined : `${until}Z`)
  return at === undefined ? undefined : { what: `the certificate ${certificate}`, at }
}

/** `name = value` lines of one section of an INI file. */
function settingsOf(text: string, section: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  let isIn = false
  for (const line of text.split('\n')) {
    const title = /^\s*\[([^\]]+)\]/.exec(line)?.[1]
    if (title !== undefined) isIn = title.trim() === section
    const [, name, value] = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (isIn && name !== undefined && value !== undefined) settings.set(name, value)
  }
  return settings
}

function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (!isSystemError(error)) throw error
    return ''
  }
}
