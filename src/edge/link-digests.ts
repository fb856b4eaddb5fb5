/** What kept symlinks on a remote lead to, as far as it can be told without reading them: by the MD5 of each `NAME.rclonelink`. */

import { ok, type Result } from '../diagnostic.ts'
import { linkDigest } from '../inventory/lsjson.ts'
import { linkSuffix } from '../tools/rclone-links.ts'
import { listHashes, type RemoteContext } from './list-remote.ts'

export interface LinkDigests {
  /** By the name of the file that stands for the symlink, as rclone lists it. */
  readonly of: ReadonlyMap<string, number>
  /** Files without one: their service keeps no MD5. */
  readonly lacking: number
}

export const noDigests: LinkDigests = { of: new Map(), lacking: 0 }

/**
 * One more listing, of the same price as the first, because asking for hashes of all would cost a request for each large
 * object. Memory grows with symlinks. Fails as `listRemote`.
 */
export async function listLinkDigests(context: RemoteContext): Promise<Result<LinkDigests>> {
  const of = new Map<string, number>()
  let lacking = 0
  const listed = await listHashes(context, `*${linkSuffix.toString()}`, (path, md5) => {
    if (md5 === undefined) lacking++
    else of.set(path, linkDigest(md5))
  })
  return listed.ok ? ok({ of, lacking }) : listed
}
