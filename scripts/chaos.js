/** `npm run chaos -- --seeds N [--slurm]`: set-up and build, then seeded faults. Arguments go to test/chaos/run.ts. */

import { npm, QUICKSTART_PROGRAMS, run, runScript, setUp, SetupError, SLURM_PROGRAMS } from './setup.js'

await runScript(() => {
  const isOnSlurm = process.argv.includes('--slurm')
  setUp([...QUICKSTART_PROGRAMS, ...(isOnSlurm ? SLURM_PROGRAMS : [])])
  if (npm('run', '--silent', 'build') !== 0) throw new SetupError('The build failed; its message is above.')
  return run(process.execPath, ['--import', 'tsx', 'test/chaos/run.ts', ...process.argv.slice(2)])
})
