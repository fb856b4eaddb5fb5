/** Who may do what on a lab's S3, and the files that say so to the clients. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The names of profiles (aws) and remotes (rclone) alike. `store` owns the buckets, `reader` may read them, `stranger` has good
 * keys but no right to anything, and of `wrong` the secret is wrong.
 */
export const PROFILES = ['store', 'reader', 'stranger', 'wrong'] as const
export type Profile = (typeof PROFILES)[number]

export const REGION = 'us-east-1'

export interface Keys {
  readonly access: string
  readonly secret: string
}

export function keysOf(profile: Profile): Keys {
  return profile === 'wrong'
    ? { access: keysOf('store').access, secret: 'wrong-secret' }
    : { access: `${profile}-access`, secret: `${profile}-secret` }
}

/** What `radosgw-admin` has to be told, in this order. */
export const MAKE_USERS: readonly (readonly string[])[] = [
  ['user', 'create', '--uid=store', '--display-name=store', ...keyOptions('store')],
  ['user', 'create', '--uid=stranger', '--display-name=stranger', ...keyOptions('stranger')],
  ['subuser', 'create', '--uid=store', '--subuser=store:reader', '--access=read'],
  ['key', 'create', '--subuser=store:reader', '--key-type=s3', ...keyOptions('reader')],
]

function keyOptions(profile: Profile): readonly string[] {
  const { access, secret } = keysOf(profile)
  return [`--access-key=${access}`, `--secret-key=${secret}`]
}

/** The environment variables that lead aws and rclone to the files of `writeClientFiles`, and to no others. */
export function clientVariables(folder: string): NodeJS.ProcessEnv {
  return {
    AWS_SHARED_CREDENTIALS_FILE: credentialsFile(folder),
    AWS_CONFIG_FILE: join(folder, 'aws', 'config'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    RCLONE_CONFIG: join(folder, 'rclone.conf'),
    NO_PROXY: '127.0.0.1',
  }
}

export function credentialsFile(folder: string): string {
  return join(folder, 'aws', 'credentials')
}

/** Writes aws's two files, and rclone.conf with every profile as a remote. */
export async function writeClientFiles(folder: string, endpoint: string): Promise<void> {
  await mkdir(join(folder, 'aws'))
  const credentials = PROFILES.map((profile) => {
    const { access, secret } = keysOf(profile)
    return section(profile, { aws_access_key_id: access, aws_secret_access_key: secret })
  })
  await writeFile(credentialsFile(folder), credentials.join(''), { mode: 0o600 })
  const config = PROFILES.map((profile) => section(`profile ${profile}`, { region: REGION }))
  await writeFile(join(folder, 'aws', 'config'), config.join(''))
  await writeFile(join(folder, 'rclone.conf'), rcloneConf(endpoint), { mode: 0o600 })
}

/** Every profile as a remote. */
export function rcloneConf(endpoint: string): string {
  return PROFILES.map((profile) => {
    const { access, secret } = keysOf(profile)
    const keys = { access_key_id: access, secret_access_key: secret }
    return section(profile, { type: 's3', provider: 'Ceph', endpoint, ...keys })
  }).join('')
}

function section(name: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}\n`)
  return `[${name}]\n${lines.join('')}\n`
}
