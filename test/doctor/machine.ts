/** `soxplan doctor` on a machine of which a test says what is there. */

import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { realProgram } from '../apply/case.ts'
import { puppet } from '../rig/puppet.ts'
import { plainEnvironment, runSoxplan, type SoxplanResult } from '../rig/soxplan.ts'

/** A machine with these tools and no others; what bash scripts call is there. No Slurm. */
export async function machine(
  folder: string,
  tools: Readonly<Record<string, string>>,
): Promise<NodeJS.ProcessEnv> {
  const [bin, own] = [join(folder, 'system'), join(folder, 'bin')]
  await mkdir(bin)
  const needed =
    'awk bash cat chmod cp date df dirname env find grep gzip head ln mkdir mktemp mv rm sed sort stat tail timeout touch tr sleep'
  for (const name of needed.split(' ')) await symlink(await realProgram(name), join(bin, name))
  let env: NodeJS.ProcessEnv = plainEnvironment({ PATH: bin, HOME: folder })
  for (const [name, script] of Object.entries(tools)) env = await puppet(own, name, script, env)
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
