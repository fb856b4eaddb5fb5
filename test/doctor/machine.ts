/** `soxplan doctor` on a machine of which a test says what is there. */

import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { realProgram } from '../apply/case.ts'
import { puppet } from '../rig/puppet.ts'
import { plainEnvironment, runSoxplan, type SoxplanResult } from '../rig/soxplan.ts'

/** A folder for PATH with what bash scripts call and these programs as they are here; no others, so no Slurm. */
export async function systemFolder(folder: string, programs: readonly string[] = []): Promise<string> {
  const system = join(folder, 'system')
  await mkdir(system)
  const needed =
    'awk bash cat chmod cp date df dirname env find grep gzip head ln mkdir mktemp mv rm sed sort stat tail timeout touch tr sleep'
  for (const name of [...needed.split(' '), ...programs])
    await symlink(await realProgram(name), join(system, name))
  return system
}

/** A machine with these tools and no others. */
export async function machine(
  folder: string,
  tools: Readonly<Record<string, string>>,
): Promise<NodeJS.ProcessEnv> {
  let env: NodeJS.ProcessEnv = plainEnvironment({ PATH: await systemFolder(folder), HOME: folder })
  for (const [name, script] of Object.entries(tools))
    env = await puppet(join(folder, 'bin'), name, script, env)
  return env
}

export function doctor(
  folder: string,
  env: NodeJS.ProcessEnv,
  ...args: readonly string[]
): Promise<SoxplanResult> {
  return runSoxplan(['doctor', ...args], { cwd: folder, env })
}

/** The lines under one heading. */
export function section(stdout: string, heading: string): string {
  return (stdout.split('\n\n').find((part) => part.startsWith(`${heading}\n`)) ?? '').slice(
    heading.length + 1,
  )
}
