/** Stand-ins for programs: a few lines of shell that play rclone, rsync or sbatch as a test wants. */

import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Writes an executable `name` into `folder`, made where it is missing. Without `#!` in its first line `script` is bash.
 * Returns the environment with `folder` first on PATH, over `env` or this process's.
 */
export async function puppet(
  folder: string,
  name: string,
  script: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<NodeJS.ProcessEnv> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, name)
  await writeFile(file, script.startsWith('#!') ? script : `#!/usr/bin/env bash\n${script}\n`)
  await chmod(file, 0o755)
  const path = env['PATH'] ?? ''
  return path.split(':')[0] === folder ? env : { ...env, PATH: `${folder}:${path}` }
}
