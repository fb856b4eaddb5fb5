/** What a node has to find of a path on this machine: a file system that is not mounted there looks like an empty folder. */

import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Anchor } from '../script/anchors.ts'
import { isErrno } from './files.ts'

/** The folder itself, or the nearest one above it that is there. Throws what the file system says otherwise. */
export async function anchorOf(folder: string): Promise<Anchor> {
  for (let at = folder; ; at = path.dirname(at)) {
    const found = await statOf(at)
    if (found?.isDirectory() !== true) continue
    const root = await stat('/')
    return { folder: at, isMounted: found.dev !== root.dev }
  }
}

async function statOf(file: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined
    throw error
  }
}
