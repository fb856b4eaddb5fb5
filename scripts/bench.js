/** `npm run bench`: set-up and build, then the measurements of bench/. Arguments go to bench/run.ts. */

import { BENCH_PROGRAMS, npm, run, runScript, setUp, SetupError } from './setup.js'

await runScript(() => {
  setUp(BENCH_PROGRAMS)
  if (npm('run', '--silent', 'build') !== 0) throw new SetupError('The build failed; its message is above.')
  return run(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...process.argv.slice(2)])
})
