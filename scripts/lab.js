/** `npm run lab`: a real Slurm on this machine to try things on, open until Ctrl-C. `-- --accounting` for sacct too. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROJECT, runScript, setUp, SLURM_PROGRAMS } from './setup.js'

await runScript(async () => {
  setUp(SLURM_PROGRAMS)
  const args = ['--import', 'tsx', 'test/lab/open.ts', ...process.argv.slice(2)]
  const lab = spawn(process.execPath, args, { cwd: PROJECT, stdio: 'inherit' })
  // Ctrl-C reaches the lab too, which tidies up; this process waits for it.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => lab.kill('SIGTERM'))
  const [code] = /** @type {[number | null]} */ (await once(lab, 'exit'))
  return code ?? 1
})
