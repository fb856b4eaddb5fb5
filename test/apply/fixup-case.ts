/** What a fixup is judged by: the attributes of two trees, as find tells them. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const isRoot = process.getuid?.() === 0

/** Runs a program to its end, which has to be a good one. */
export async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, {
    encoding: 'latin1',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  })
  return stdout
}

/** Mode (of what is no symlink), owner, group, whole seconds, kind and name of the folder itself and of all below it, sorted. */
export async function attributesOf(folder: string, fields = '%m %U %G %T@'): Promise<readonly string[]> {
  const bare = fields.replace('%m', '-')
  const line = ['(', '-type', 'l', '-printf', `${bare} l %P\\0`, '-o', '-printf', `${fields} %y %P\\0`, ')']
  const stdout = await command('find', folder, ...line)
  return stdout
    .split('\0')
    .map((record) => record.replace(/(\d)\.\d{10} /, '$1 '))
    .sort()
}
