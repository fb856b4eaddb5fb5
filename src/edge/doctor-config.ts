/** Questions about the files that hold keys of remotes and buckets: is what the plan names in them, and is it private? */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { bad, good, type Finding } from '../diagnostic-finding.ts'
import type { Location, S3Location } from '../plan/plan.ts'
import { askProbe, type Facts, type ProbeContext } from './doctor-probe.ts'
import type { Check } from './doctor-run.ts'
import { run } from './process.ts'
import { millis } from '../units.ts'

export type RemoteLocation = Extract<Location, { kind: 'rclone' }>

/** What the checks of the files need to know beyond the probe. */
export interface ConfigContext extends ProbeContext {
  readonly rclonePath: string
  /** Of the shell, from which jobs get little. */
  readonly shellEnv: Readonly<Record<string, string | undefined>>
  readonly environmentPass: readonly string[]
  readonly home: string
}

/** The signal of the check ends a call much earlier. */
const CALL_TIMEOUT = millis(600_000)

/** Readable by others than its owner. */
const OPEN_MODE = 0o077

/** Undefined for a file that only its owner can read. */
function openness(file: string, facts: Facts): Finding | undefined {
  const mode = facts.get('mode') ?? '0'
  if ((Number.parseInt(mode, 8) & OPEN_MODE) === 0) return undefined
  return bad(
    'warning',
    'SX706',
    `${file} is open to others (mode ${mode})`,
    `Close it: \`chmod 600 ${file}\`.`,
    'Whoever reads it can do all that its keys can do.',
  )
}

/** The trouble with a file that should be there, or undefined for one that can be read. */
export function unreadable(what: string, file: string, facts: Facts | undefined): Finding | undefined {
  if (facts?.get('is') === 'file' && facts.has('readable')) return undefined
  const state = facts?.get('is') === 'file' ? 'can not be read' : 'is not there'
  const todo = 'Correct the path in the plan, or give yourself read access to the file.'
  return bad('error', 'SX705', `${what} ${file} ${state}`, todo)
}

/** Names of sections with the names of what stands in them; never a value. */
export function sectionsOf(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const sections = new Map<string, Set<string>>()
  let current = new Set<string>()
  for (const line of text.split('\n')) {
    const title = /^\s*\[([^\]]+)\]/.exec(line)?.[1]?.trim()
    if (title !== undefined) {
      current = new Set()
      sections.set(title, current)
    }
    const name = /^\s*([A-Za-z_]\w*)\s*=/.exec(line)?.[1]
    if (name !== undefined) current.add(name)
  }
  return sections
}

export function remoteCheck(context: ConfigContext, location: RemoteLocation): Check {
  const subject = `endpoint ${location.endpoint}`
  return {
    topic: 'endpoints',
    subject,
    ifSilent: 'Look at the file system that rclone.conf lies on.',
    async ask(signal) {
      const file = await configFileOf(context, location, signal)
      if (file === undefined) return []
      const facts = await askProbe(context, signal, 'file', file)
      const closed = unreadable(`${subject}: rclone.conf`, file, facts)
      if (closed !== undefined || facts === undefined) return closed === undefined ? [] : [closed]
      const open = openness(file, facts)
      const found = judgeRemote(location, file, await readFile(file, 'utf8'), context.environmentPass)
      return [found, ...(open === undefined ? [] : [open])]
    },
  }
}

/** The plan's, or where this rclone looks when nobody says. Undefined where there is none to ask, which is another check's finding. */
export async function configFileOf(
  { rclonePath, env }: ConfigContext,
  { configPath }: RemoteLocation,
  stop: AbortSignal,
): Promise<string | undefined> {
  if (configPath !== undefined) return configPath
  const answer = await run([rclonePath, 'config', 'file'], {
    timeoutMillis: CALL_TIMEOUT,
    env,
    stop,
    ownGroup: true,
  })
  return answer.ok ? answer.value.stdout.trim().split('\n').at(-1) : undefined
}

function judgeRemote(
  { endpoint, remote }: RemoteLocation,
  file: string,
  text: string,
  pass: readonly string[],
): Finding {
  if (/^(# Encrypted rclone|RCLONE_ENCRYPT_V)/m.test(text) && !pass.includes('RCLONE_PASSWORD_COMMAND'))
    return bad(
      'error',
      'SX705',
      `endpoint ${endpoint}: ${file} asks for a password`,
      'Take it off with `rclone config encryption remove` (or `rclone config`, `s`), and keep the file private.',
      'A job has nobody to type it.',
    )
  const sections = sectionsOf(text)
  if (sections.has(remote) || text.startsWith('# Encrypted'))
    return good(`endpoint ${endpoint}: remote ${remote} in ${file}`)
  const names = [...sections.keys()].join(', ')
  return bad(
    'error',
    'SX705',
    `endpoint ${endpoint}: ${file} has no remote ${remote}`,
    `Make it with \`rclone config\`, or correct \`remote\` in the plan${names === '' ? '' : `; there are: ${names}`}.`,
  )
}

/** Keys of a bucket: in a profile of a file, because a job has nothing of the shell's variables. */
export function profileCheck(context: ConfigContext, location: S3Location): Check {
  const subject = `endpoint ${location.endpoint}`
  return {
    topic: 'endpoints',
    subject,
    ifSilent: 'Look at the file system that the credentials file lies on.',
    async ask(signal) {
      const of = (name: string): string | undefined => passed(context, name)
      const file = credentialsFileOf(context, location)
      const config = of('AWS_CONFIG_FILE') ?? path.join(context.home, '.aws', 'config')
      const profile = location.profile ?? of('AWS_PROFILE') ?? 'default'
      const isNamed = location.credentials !== undefined || location.profile !== undefined
      const facts = await askProbe(context, signal, 'file', file)
      const closed = unreadable(`${subject}: the credentials file`, file, facts)
      if (location.credentials !== undefined && closed !== undefined) return [closed]
      const sections = closed === undefined ? sectionsOf(await readFile(file, 'utf8')) : undefined
      const open = closed === undefined && facts !== undefined ? openness(file, facts) : undefined
      const isThere =
        holdsKeys(sections?.get(profile)) || holdsKeys(await configSection(context, signal, config, profile))
      const shell = shellKeys(context, location, isThere)
      if (isThere)
        return [good(`${subject}: profile ${profile} in ${file}`), ...present(open), ...present(shell)]
      if (shell !== undefined) return [shell]
      return [isNamed ? noProfile(subject, profile, file) : noKeys(subject), ...present(open)]
    },
  }
}

/** A variable that jobs get too. */
function passed({ environmentPass, shellEnv }: ConfigContext, name: string): string | undefined {
  return environmentPass.includes(name) ? shellEnv[name] : undefined
}

/** The file of keys that the tools of a job read. */
export function credentialsFileOf(context: ConfigContext, { credentials }: S3Location): string {
  const own = passed(context, 'AWS_SHARED_CREDENTIALS_FILE')
  return credentials ?? own ?? path.join(context.home, '.aws', 'credentials')
}

function present(finding: Finding | undefined): readonly Finding[] {
  return finding === undefined ? [] : [finding]
}

async function configSection(
  context: ConfigContext,
  signal: AbortSignal,
  file: string,
  profile: string,
): Promise<ReadonlySet<string> | undefined> {
  const facts = await askProbe(context, signal, 'file', file)
  if (unreadable('', file, facts) !== undefined) return undefined
  const sections = sectionsOf(await readFile(file, 'utf8'))
  return sections.get(profile === 'default' ? 'default' : `profile ${profile}`)
}

/** A pair of keys, or another way to them that needs nobody's help. */
function holdsKeys(names: ReadonlySet<string> | undefined): boolean {
  if (names === undefined) return false
  const hasPair = names.has('aws_access_key_id') && names.has('aws_secret_access_key')
  return (
    hasPair ||
    ['credential_process', 'role_arn', 'sso_session', 'sso_start_url'].some((name) => names.has(name))
  )
}

function noProfile(subject: string, profile: string, file: string): Finding {
  return bad(
    'error',
    'SX705',
    `${subject}: ${file} has no keys for the profile ${profile}`,
    `Put them there with \`aws configure --profile ${profile}\`, or correct \`profile\` and \`credentials\` in the plan.`,
  )
}

function noKeys(subject: string): Finding {
  return bad(
    'warning',
    'SX707',
    `${subject}: no file holds keys for it`,
    'Name a `profile` at the endpoint, unless the machines have a role that opens the bucket.',
  )
}

/** Variables of the shell come before any file here, and are not there in a job. */
function shellKeys(
  { shellEnv }: ConfigContext,
  { endpoint }: S3Location,
  hasProfile: boolean,
): Finding | undefined {
  if (shellEnv['AWS_ACCESS_KEY_ID'] === undefined) return undefined
  return hasProfile
    ? bad(
        'warning',
        'SX707',
        `endpoint ${endpoint}: AWS_ACCESS_KEY_ID of this shell comes before the profile here, but not in jobs`,
        'Unset it: `unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN`.',
      )
    : bad(
        'error',
        'SX707',
        `endpoint ${endpoint}: its keys stand in the variables of this shell only`,
        'Put them into a profile with `aws configure --profile NAME`, and name it at the endpoint: `profile: NAME`.',
        'A job gets nothing of them.',
      )
}
