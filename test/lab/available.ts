/** Whether this machine can open a lab and its servers, and if not, why. */

import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { unpackedFolder } from '../../scripts/unpacked.js'

/** Debian puts daemons where the PATH of an ordinary user does not reach. */
export const SEARCH_PATH = [
  ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
].join(delimiter)

const PROGRAMS = ['slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol', 'scancel', 'sinfo']
const ACCOUNTING_PROGRAMS = ['slurmdbd', 'mariadbd', 'sacct', 'sacctmgr']

/** The full path of `program`, or undefined where it is not installed. */
export function findProgram(program: string): string | undefined {
  return SEARCH_PATH.split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** The reason why there can be no lab here, or undefined where there can. */
export function whyNoLab(options: { readonly accounting?: boolean } = {}): string | undefined {
  const wanted = [...PROGRAMS, ...(options.accounting === true ? ACCOUNTING_PROGRAMS : [])]
  const missing = wanted.filter((program) => findProgram(program) === undefined)
  return missing.length === 0
    ? undefined
    : `no Slurm lab here, these are not installed: ${missing.join(', ')}`
}

/** For `describe.skipIf(!labAvailable())`; prints the reason when it says no. */
export function labAvailable(options: { readonly accounting?: boolean } = {}): boolean {
  return availableUnless(whyNoLab(options))
}

/** Why there can be no sshd of our own here, or undefined where there can. */
export function whyNoSsh(): string | undefined {
  const missing = ['ssh', 'sshd', 'ssh-keygen'].filter((program) => findProgram(program) === undefined)
  return missing.length === 0 ? undefined : `no sshd here, these are not installed: ${missing.join(', ')}`
}

/** For `describe.skipIf(!sshAvailable())`; prints the reason when it says no. */
export function sshAvailable(): boolean {
  return availableUnless(whyNoSsh())
}

/** Debian's aws; what stands first on PATH may be another version, or a stub that only says which one is missing. */
export const AWS = '/usr/bin/aws'

/** Why there can be no S3 of our own here, or undefined where there can. */
export function whyNoS3(): string | undefined {
  return existsSync(unpackedFolder('ceph'))
    ? undefined
    : 'no S3 here, its packages are not fetched; `npm test` does it where apt reaches Debian'
}

/** For `describe.skipIf(!s3Available())`; prints the reason when it says no. */
export function s3Available(): boolean {
  return availableUnless(whyNoS3())
}

/** For `test.skipIf(!awsAvailable())`; prints the reason when it says no. */
export function awsAvailable(): boolean {
  return availableUnless(existsSync(AWS) ? undefined : `no ${AWS}`)
}

/** Whether there is no `reason` against it; prints the one there is. */
function availableUnless(reason: string | undefined): boolean {
  if (reason !== undefined) console.warn(`skipped: ${reason}`)
  return reason === undefined
}
