/**
 * `npm run lab`: a real Slurm on this machine, with servers for SSH and S3 where they can be had, and a plan to try,
 * open until Ctrl-C. `-- --accounting` for sacct too.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  installPrograms,
  installWhatCan,
  npm,
  PROJECT,
  QUICKSTART_PROGRAMS,
  runScript,
  setUp,
  SetupError,
  SLURM_PROGRAMS,
  SSH_PROGRAMS,
} from './setup.js'
import { unpack } from './unpacked.js'

await runScript(async () => {
  setUp([...SLURM_PROGRAMS, ...QUICKSTART_PROGRAMS])
  installWhatCan(
    [
      ['SSH', () => installPrograms(SSH_PROGRAMS)],
      ['S3', () => unpack('ceph')],
    ],
    (server) => `The lab has no ${server}.`,
  )
  console.log('Building soxplan …')
  if (npm('run', '--silent', 'build') !== 0) throw new SetupError('The build failed; its message is above.')
  const args = ['--import', 'tsx', 'test/lab/open.ts', ...process.argv.slice(2)]
  const lab = spawn(process.execPath, args, { cwd: PROJECT, stdio: 'inherit' })
  // Ctrl-C reaches the lab too, which tidies up; this process waits for it.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => lab.kill('SIGTERM'))
  const [code] = /** @type {[number | null]} */ (await once(lab, 'exit'))
  return code ?? 1
})
