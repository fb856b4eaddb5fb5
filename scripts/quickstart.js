/** `npm run quickstart`: from a fresh clone to a real data set, copied and proven. Run again, nothing is left to do. */

import { mkdirSync, lstatSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDataset } from './dataset.js'
import { npm, QUICKSTART_PROGRAMS, run, runScript, setUp, SetupError } from './setup.js'

/** Source and destination, with some room. */
const NEEDED_BYTES = 800e6

await runScript(() => {
  setUp(QUICKSTART_PROGRAMS)
  console.log('Building soxplan …')
  if (npm('run', '--silent', 'build') !== 0) throw new SetupError('The build failed; its message is above.')
  const folder = ownFolder()
  const source = join(folder, 'source')
  const destination = join(folder, 'destination')
  makeDataset(source)
  const args = [
    join('bin', 'soxplan.js'),
    'apply',
    join('examples', 'quickstart', 'plan.yaml'),
    ...['--executor', 'local', '--slots', '2', '--yes'],
    ...['--state', join(folder, 'state')],
    ...['--var', `source=${source}`, '--var', `destination=${destination}`],
  ]
  console.log(`\n$ soxplan ${args.slice(1).join(' ')}\n`)
  const exitCode = run(process.execPath, args)
  if (exitCode === 0) {
    console.log(`\nThe data landed in ${destination}`)
    console.log(`Run it again: nothing is left to do. Damage a file there first: soxplan mends it.`)
    console.log(`To remove all of it: rm -r ${folder}`)
  }
  return exitCode
})

/**
 * The same folder every time, so that a second run finds what the first one did. It stands in a place where others
 * may write, so it must be ours.
 * @returns {string}
 */
function ownFolder() {
  const uid = process.getuid?.() ?? 0
  const folder = join(tmpdir(), `soxplan-quickstart-${uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== uid) {
    throw new SetupError(
      `${folder} belongs to somebody else. Set TMPDIR to a folder of your own and try again.`,
    )
  }
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < NEEDED_BYTES) {
    throw new SetupError(
      `${folder} has less than 800 MB free. Set TMPDIR to a folder with more room and try again.`,
    )
  }
  return folder
}
