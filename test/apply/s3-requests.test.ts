import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3Available } from '../lab/available.ts'
import { rcloneVersions, type RcloneVersion } from '../lab/rclone.ts'
import { startS3Server, type S3Server } from '../lab/s3.ts'
import { writeTree } from '../rig/tree.ts'
import { bucketsOf, openS3Case, requestsOf, type S3Case } from './s3-case.ts'

/** Several shards of a small tree, each still of more than one folder, as those of large trees are. */
const SMALL_SHARDS = { SOXPLAN_SHARD_SECONDS: '0.1' }

/** Name → content of `folders` times `each` files. */
function tree(folders: number, each: number): Readonly<Record<string, string>> {
  const names = Array.from({ length: folders }, (_, folder) =>
    Array.from({ length: each }, (__, file) => `d${folder % 7}/e${folder}/f${file}`),
  )
  return Object.fromEntries(names.flat().map((name) => [name, name]))
}

describe.skipIf(!s3Available())('requests', { timeout: 240_000 }, () => {
  let server: S3Server
  const bucketName = bucketsOf(() => server)
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server.close())

  async function total(work: () => Promise<unknown>): Promise<number> {
    const counts = await requestsOf(server, work)
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }

  /** One plain `rclone copy` with no flags but those that say where. */
  async function plain(rclone: RcloneVersion, from: string, to: string): Promise<number> {
    return total(async () => {
      expect(await server.run(rclone.program, 'copy', from, to)).toMatchObject({ exitCode: 0 })
    })
  }

  async function ours(
    at: S3Case,
    transfer: Readonly<Record<string, unknown>>,
    bucket: string,
  ): Promise<number> {
    await at.write({ store: { bucket } }, transfer)
    return total(async () => {
      expect((await at.go(SMALL_SHARDS)).exitCode).toBe(0)
    })
  }

  describe.each(rcloneVersions().filter(({ available }) => available))('with the $name rclone', (rclone) => {
    test.each([
      ['some folders of many files', tree(12, 40)],
      ['many folders of a few files', tree(120, 3)],
    ])('%s: all shards ask no more than one rclone copy', async (_, files) => {
      await using at = await openS3Case(server, rclone)
      await writeTree(at.from, files)
      const [mine, theirs] = [await bucketName(), await bucketName()]
      const down = join(at.path, 'plain')
      await mkdir(down)
      const legs = {
        'first up': [{ from: at.from, to: 'store:' }, at.from, `store:${theirs}`],
        'second up': [{ from: at.from, to: 'store:' }, at.from, `store:${theirs}`],
        'first down': [{ from: 'store:', to: at.to }, `store:${theirs}`, down],
        'second down': [{ from: 'store:', to: at.to }, `store:${theirs}`, down],
      } as const
      for (const [leg, [transfer, from, to]] of Object.entries(legs)) {
        const bar = (await plain(rclone, from, to)) * 1.1
        const asked = await ours(at, transfer, mine)
        expect({ leg, asked, within: asked <= bar, bar }).toMatchObject({ within: true })
      }
    })
  })
})
