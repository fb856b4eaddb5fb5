/** Opens one lab for a person, with a plan to try, says how to use it, and keeps it open until Ctrl-C. `npm run lab` runs this. */

import { join } from 'node:path'
import { PROJECT } from '../rig/project.ts'
import { whyNoS3, whyNoSsh } from './available.ts'
import { startLab } from './lab.ts'
import { startS3Server } from './s3.ts'
import { startSshServer } from './ssh.ts'
import { makeTryout } from './tryout.ts'

interface Closable {
  close(): Promise<void>
}

const opened: Closable[] = []
let isClosing = false

/** The servers end before the lab, whose folder holds the data set. */
async function stop(): Promise<void> {
  if (isClosing) return
  isClosing = true
  for (const server of opened.toReversed()) await server.close()
  console.log('\nThe lab is closed.')
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())

/** A server that the lab can do without; says why where it has to. */
async function ifPossible<Server extends Closable>(
  reason: string | undefined,
  start: () => Promise<Server>,
): Promise<Server | undefined> {
  if (reason !== undefined) {
    console.log(`  ${reason}`)
    return undefined
  }
  try {
    const server = await start()
    opened.push(server)
    return server
  } catch (error) {
    console.log(`  it does not come up: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const accounting = process.argv.includes('--accounting')
console.log(`Starting Slurm${accounting ? ' with accounting' : ''} …`)
const lab = await startLab({ accounting })
opened.push(lab)
console.log('Starting a server for SSH …')
const ssh = await ifPossible(whyNoSsh(), startSshServer)
console.log('Starting a server for S3 …')
const s3 = await ifPossible(whyNoS3(), startS3Server)
const plan = await makeTryout(join(lab.folder, 'tryout'), ssh, s3)

console.log(`
${await lab.sinfo('--Node', '--partition=main', '--format=%8N %.8t %.5c %.9m')}

The lab is open. Paste this into another terminal:

  export SLURM_CONF=${lab.folder}/slurm.conf
  alias soxplan='node ${join(PROJECT, 'bin', 'soxplan.js')}'
  PLAN=${plan}

Then try:

  soxplan doctor $PLAN --nodes
  soxplan plan $PLAN
  soxplan apply $PLAN

or Slurm itself:  sinfo;  sbatch --wrap 'sleep 10';  squeue
Logs of Slurm:    ${lab.folder}/log
Ctrl-C here ends all of it, jobs and data included${accounting ? '' : '. For sacct: npm run lab -- --accounting'}.`)

// Nothing else keeps this process alive: the daemons are not waited for.
setInterval(() => undefined, 60_000)
