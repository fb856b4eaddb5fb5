/** Remotes for tests: a real rclone whose remote is a folder, and a puppet with an object store behind it. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Location } from '../../src/plan/plan.ts'
import { puppet } from '../rig/puppet.ts'

/** Makes a rclone.conf with a remote `disk` that is this machine; returns a place below the test's folder on it. */
export async function onDisk(folder: string): Promise<(path: string) => Location> {
  const configPath = join(folder, 'rclone.conf')
  await writeFile(configPath, `[disk]\ntype = alias\nremote = ${folder}\n`)
  return (path) => ({ kind: 'rclone', endpoint: 'store', remote: 'disk', configPath, path })
}

/**
 * Plays an rclone that has an object store behind it: `objects` is what lsjson prints, `features` what the remote is
 * said to be. It notes its arguments in `calls`.
 */
export async function store(
  folder: string,
  objects: readonly object[],
  features: object = { Precision: 1, Features: { SlowModTime: true } },
): Promise<{ rclonePath: string; place: Location; calls: string }> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  const calls = join(bin, 'calls')
  await writeFile(join(bin, 'list'), `[\n${objects.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`)
  await writeFile(join(bin, 'features.json'), JSON.stringify(features))
  const isDirectory = '{"Path":"","Name":"","Size":-1,"ModTime":"","IsDir":true}'
  await puppet(
    bin,
    'rclone',
    `echo "$*" >> ${calls}
case "$*" in
  *features*) cat ${bin}/features.json ;;
  *--stat*) echo '${isDirectory}' ;;
  *) cat ${bin}/list ;;
esac`,
  )
  return {
    rclonePath: join(bin, 'rclone'),
    place: { kind: 'rclone', endpoint: 'store', remote: 'store', path: 'train' },
    calls,
  }
}

/** One line of a listing. */
export const object = (path: string, more: object = {}): object => ({
  Path: path,
  Size: 1,
  ModTime: '',
  IsDir: false,
  ...more,
})
