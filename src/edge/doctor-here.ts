/** Questions about this machine: node, bash and what the worker scripts call, and the folder that runs are kept in. */

import { bad, good, type Finding } from '../diagnostic-finding.ts'
import { askProbe, type Facts, type ProbeContext } from './doctor-probe.ts'
import type { Check } from './doctor-run.ts'

/** `engines` of package.json; `test/commands-doctor.test.ts` holds the two together. */
export const NODE_FLOOR = { major: 20, minor: 19 } as const

export function hereChecks(context: ProbeContext): readonly Check[] {
  return [
    {
      topic: 'here',
      subject: 'node',
      ifSilent: 'Try again.',
      ask: () => Promise.resolve([judgeNode(process.versions.node)]),
    },
    {
      topic: 'here',
      subject: 'bash',
      ifSilent: 'Run `bash --version` by hand, and look at what PATH leads to.',
      ask: async (signal) => judgePrograms(await askProbe(context, signal, 'programs'), 'this machine'),
    },
  ]
}

export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > NODE_FLOOR.major || (major === NODE_FLOOR.major && minor >= NODE_FLOOR.minor)
  return isNew
    ? good(`node ${version}`)
    : bad(
        'error',
        'SX703',
        `node ${version} is too old: ${NODE_FLOOR.major}.${NODE_FLOOR.minor} or newer is needed`,
        'Install a newer one; docs/install.md says how without root.',
      )
}

/** `where` is `this machine` or a node's name. Undefined facts: there is no bash. */
export function judgePrograms(facts: Facts | undefined, where: string): readonly Finding[] {
  const version = facts?.get('bash') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (version === '')
    return [
      bad(
        'error',
        'SX703',
        `there is no bash on ${where}`,
        'Install bash 4.4 or newer: workers are bash scripts.',
      ),
    ]
  if (major < 4 || (major === 4 && minor < 4))
    return [
      bad(
        'error',
        'SX703',
        `bash ${version} on ${where} is too old`,
        'Install bash 4.4 or newer: workers are bash scripts.',
      ),
    ]
  const lacks = facts?.get('lacks') ?? ''
  return [
    ...(lacks === ''
      ? [good(`bash ${version}, and all that the worker scripts call`)]
      : [
          good(`bash ${version}`),
          bad(
            'error',
            'SX703',
            `these programs are missing on ${where}: ${lacks}`,
            'Install coreutils, findutils, grep, sed, gzip and an awk: the worker scripts call them.',
          ),
        ]),
  ]
}

/** The folder of all runs, or the first on the way to it that is there. */
export function runFolderCheck(context: ProbeContext, stateDir: string): Check {
  return {
    topic: 'run folder',
    subject: stateDir,
    ifSilent: 'Look at the file system of this folder, or name another folder with --state DIR.',
    ask: async (signal) => judgeRunFolder(stateDir, await askProbe(context, signal, 'links', stateDir)),
  }
}

export function judgeRunFolder(stateDir: string, facts: Facts | undefined): readonly Finding[] {
  if (facts?.get('made') === undefined)
    return [
      bad(
        'error',
        'SX602',
        `The state folder ${stateDir} can not be written: ${facts?.get('refused') ?? 'bash could not look at it'}`,
        'Name another folder with --state DIR or `state:` in the plan; on Slurm it must be one that all nodes see.',
      ),
    ]
  const missing = [
    ...(facts.has('exclusive') ? [] : ['an exclusive create']),
    ...(facts.has('links') ? [] : ['hard links']),
  ]
  return missing.length === 0
    ? [good(`${stateDir}: files can be made there, exclusively, and linked`)]
    : [
        bad(
          'error',
          'SX704',
          `${stateDir} lies on a file system without ${missing.join(' and ')}`,
          'Name a folder on another file system with --state DIR or `state:` in the plan.',
          'Workers commit what they have done with an exclusive hard link, so that no two of them do the same.',
        ),
      ]
}
