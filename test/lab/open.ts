/** Opens one lab for a person, says how to use it, and keeps it open until Ctrl-C. `npm run lab` runs this. */

import { startLab } from './lab.ts'

const accounting = process.argv.includes('--accounting')
console.log(`Starting Slurm${accounting ? ' with accounting' : ''} …`)
const lab = await startLab({ accounting })
console.log(`${await lab.sinfo('--Node', '--partition=main', '--format=%8N %.8t %.5c %.9m')}

The lab is open. Paste this into another terminal:

  export SLURM_CONF=${lab.folder}/slurm.conf

Then try:  sinfo;  sbatch --wrap 'sleep 10';  squeue
Its logs:  ${lab.folder}/log
Ctrl-C here ends it, jobs included${accounting ? '' : '. For sacct: npm run lab -- --accounting'}.`)

const stop = async (): Promise<void> => {
  await lab.close()
  console.log('\nThe lab is closed.')
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stop())
// Nothing else keeps this process alive: the daemons are not waited for.
setInterval(() => undefined, 60_000)
