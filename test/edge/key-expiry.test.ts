import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { keyExpiries } from '../../src/edge/key-expiry.ts'
import type { Location } from '../../src/plan/plan.ts'
import { tempFolder } from '../rig/folder.ts'

const run = promisify(execFile)

/** What is said of these places, with this folder as home. */
async function told(home: string, ...places: readonly unknown[]): Promise<readonly string[]> {
  const context = {
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
    signal: new AbortController().signal,
  }
  const found = await keyExpiries(context, ...(places as readonly Location[]))
  return found.map(({ what, at }) => `${what}: ${at.toISOString()}`)
}

const bucket = { kind: 's3', endpoint: 'store', bucket: 'b', path: '' }

describe('keys of a bucket', () => {
  test.each([
    ['aws_session_expiration = 2026-11-26T18:00:00Z', '2026-11-26T18:00:00.000Z'],
    ['x_security_token_expires=2026-11-26T18:00:00+02:00', '2026-11-26T16:00:00.000Z'],
    ['  expiration = 2026-11-26 18:00:00Z  ', '2026-11-26T18:00:00.000Z'],
  ])('%s', async (line, at) => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, '.aws'))
    const file = join(temp.path, '.aws/credentials')
    await writeFile(
      file,
      `[default]\naws_access_key_id = a\n[lab]\n${line}\n[other]\nexpiration = 2020-01-01\n`,
    )
    expect(await told(temp.path, { ...bucket, profile: 'lab' })).toEqual([
      `the keys of profile lab in ${file}: ${at}`,
    ])
    expect(await told(temp.path, bucket)).toEqual([])
  })

  test('that do not end, in a file that is not there, or with a text that is no time: nothing', async () => {
    await using temp = await tempFolder()
    const credentials = join(temp.path, 'keys')
    expect(await told(temp.path, { ...bucket, credentials })).toEqual([])
    await writeFile(credentials, '[default]\nexpiration = some day\n')
    expect(await told(temp.path, { ...bucket, credentials })).toEqual([])
    expect(await told(temp.path, { kind: 'local', path: '/' })).toEqual([])
  })
})

test('the token of a remote, unless rclone renews it, and an address that is signed until then', async () => {
  await using temp = await tempFolder()
  const configPath = join(temp.path, 'rclone.conf')
  const token = (more: string): string =>
    `token = {"access_token":"x"${more},"expiry":"2026-11-26T18:00:00.5Z"}`
  await writeFile(
    configPath,
    `[once]\n${token('')}\n[renewed]\n${token(',"refresh_token":"y"')}\n` +
      '[signed]\nsas_url = https://a.example/b?sv=2024&se=2026-11-26T18%3A00%3A00Z&sig=abc\n',
  )
  const remote = (name: string): unknown => ({
    kind: 'rclone',
    endpoint: 'e',
    remote: name,
    path: '',
    configPath,
  })
  expect(await told(temp.path, remote('once'), remote('renewed'), remote('signed'))).toEqual([
    `the token of remote once in ${configPath}: 2026-11-26T18:00:00.500Z`,
    `the token of remote signed in ${configPath}: 2026-11-26T18:00:00.000Z`,
  ])
})

test('the certificate beside an SSH key', async () => {
  await using temp = await tempFolder()
  const at = (name: string): string => join(temp.path, name)
  for (const name of ['ca', 'id', 'plain', 'ever'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)])
  const sign = async (name: string, ...validity: readonly string[]): Promise<unknown> =>
    run('ssh-keygen', ['-q', '-s', at('ca'), '-I', 'me', ...validity, at(`${name}.pub`)], {
      env: { ...process.env, TZ: 'UTC' },
    })
  await sign('id', '-V', '20261126000000:20261127120000')
  await sign('ever')
  const server = (name: string): unknown => ({
    kind: 'ssh',
    endpoint: 'e',
    path: '',
    server: { key: at(name) },
  })
  expect(await told(temp.path, server('id'), server('plain'), server('ever'))).toEqual([
    `the certificate ${at('id')}-cert.pub: 2026-11-27T12:00:00.000Z`,
  ])
})
