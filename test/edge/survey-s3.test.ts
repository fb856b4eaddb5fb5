import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toolEnvironment } from '../../src/edge/tool-probe.ts'
import type { S3Location } from '../../src/plan/plan.ts'
import { s3Available } from '../lab/available.ts'
import { startHttpPuppet } from '../lab/http-puppet.ts'
import { rcloneVersions } from '../lab/rclone.ts'
import { REGION } from '../lab/s3-conf.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { tempFolder } from '../rig/folder.ts'
import { writeTree } from '../rig/tree.ts'
import { complaint, fates, surveyed } from './survey-rig.ts'

const NOBODY = 'http://127.0.0.1:1'

describe.skipIf(!s3Available())('buckets before anything moves', () => {
  let server: S3Server
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    server = await startS3Server()
    env = toolEnvironment({ ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' })
    await server.makeBucket('train')
    await server.putObject('train', 'a/b', 'content')
    const more = '[unknown]\naws_access_key_id = nobody\naws_secret_access_key = x\n'
    await appendFile(server.credentials, more)
  })
  afterAll(() => server.close())

  /** The bucket `train`, or what is laid over it. */
  function at(over: Partial<S3Location> = {}): S3Location {
    return {
      kind: 's3',
      endpoint: 'store',
      bucket: 'train',
      service: server.endpoint,
      provider: 'Ceph',
      region: REGION,
      profile: 'store',
      credentials: server.credentials,
      path: 'a',
      ...over,
    }
  }

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    test('what is wrong with keys or bucket is told apart, at either end', async () => {
      await using temp = await tempFolder()
      await writeTree(join(temp.path, 'from'), { f: 'f' })
      const why = 'may not list the bucket train'
      const wrong: readonly (readonly [Partial<S3Location>, string])[] = [
        [{ profile: 'nope' }, "SX231 endpoint store: there are no keys for the profile 'nope'"],
        [
          { profile: 'unknown' },
          "SX232 endpoint store: the service does not know the key id of the profile 'unknown'",
        ],
        [
          { profile: 'wrong' },
          "SX233 endpoint store: the secret of the profile 'wrong' does not belong to its key id",
        ],
        [{ profile: 'stranger' }, `SX235 endpoint store: the profile 'stranger' ${why}`],
        [
          { bucket: 'no-such-bucket' },
          `SX236 endpoint store: there is no bucket no-such-bucket at ${server.endpoint}`,
        ],
      ]
      const settings = { rclonePath: rclone.program, env }
      for (const [over, text] of wrong) {
        expect(await complaint(temp.path, { from: at(over) }, settings)).toBe(text)
        expect(await complaint(temp.path, { to: at(over) }, settings)).toBe(text)
      }
    })

    test('an address where nobody is, or that is spoken to in another way, is told within seconds', async () => {
      await using temp = await tempFolder()
      const settings = { rclonePath: rclone.program, env }
      const wrong: readonly (readonly [Partial<S3Location>, string])[] = [
        [{ service: NOBODY }, `SX237 endpoint store: ${NOBODY} can not be reached`],
        [
          { service: `https://127.0.0.1:${server.port}` },
          `SX238 endpoint store: what answers at https://127.0.0.1:${server.port} does not speak S3, or not as it is spoken to`,
        ],
      ]
      for (const [over, text] of wrong)
        expect(await complaint(temp.path, { from: at(over) }, settings)).toBe(text)
    })

    test('expired keys, another region and a clock that is wrong are told by the words of the service', async () => {
      await using puppet = await startHttpPuppet(server.port)
      await using temp = await tempFolder()
      const settings = { rclonePath: rclone.program, env }
      const from = at({ service: `http://127.0.0.1:${puppet.port}` })
      for (const [error, text] of [
        ['ExpiredToken', "SX234 endpoint store: the keys of the profile 'store' have expired"],
        ['AuthorizationHeaderMalformed', 'SX239 endpoint store: the bucket train lies in another region'],
        [
          'RequestTimeTooSkewed',
          "SX230 endpoint store: this machine's clock and the service's are too far apart",
        ],
      ] as const) {
        puppet.answer({ error, times: Infinity })
        expect(await complaint(temp.path, { from }, settings)).toBe(text)
        puppet.passOn()
      }
    })

    test('a prefix without objects is no source, and a free place as a destination', async () => {
      await using temp = await tempFolder()
      await writeTree(join(temp.path, 'from'), { f: 'f' })
      const settings = { rclonePath: rclone.program, env }
      expect(await complaint(temp.path, { from: at({ path: 'a/no' }) }, settings)).toBe(
        'SX201 the source store:a/no does not exist',
      )
      expect(await complaint(temp.path, { from: at({ path: 'a/b/c' }) }, settings)).toBe(
        'SX201 the source store:a/b/c does not exist',
      )
      const found = await surveyed(temp.path, { to: at({ path: 'x/y' }) }, settings)
      expect([found.destinationState, await fates(found)]).toEqual(['absent', ['+f f']])
    })

    test('keys of the shell do not count, and are named where there are no others', async () => {
      await using temp = await tempFolder()
      const credentials = join(temp.path, 'credentials')
      const [, access = '', secret = ''] =
        /\[store\]\naws_access_key_id = (.*)\naws_secret_access_key = (.*)/.exec(
          await readFile(server.credentials, 'utf8'),
        ) ?? []
      await writeFile(credentials, '')
      const shell = toolEnvironment({ ...env, AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret })
      const settings = { rclonePath: rclone.program, env: shell, shellKeys: true }
      expect(await complaint(temp.path, { from: at({ credentials }) }, settings)).toMatch(
        /^SX231 endpoint store: there are no keys for the profile 'store'; AWS_ACCESS_KEY_ID stands in the environment of this shell, which jobs do not get: /,
      )
    })
  })
})
