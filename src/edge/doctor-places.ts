/** Questions about the places of a plan: do they answer, is the source there, may the destination be written? */

import path from 'node:path'
import { good, trouble, type Finding } from '../diagnostic-finding.ts'
import type { Location, S3Location, SshLocation, Transfer } from '../plan/plan.ts'
import { onServer } from '../script/server.ts'
import { placeEnvironment, placeText } from '../tools/rclone-place.ts'
import { sshCommand, sshPath } from '../tools/ssh.ts'
import { millis } from '../units.ts'
import { askPlace, type PlaceContext, type RemoteLocation } from './ask-place.ts'
import type { ConfigContext } from './doctor-config.ts'
import { judgeDestination } from './doctor-folder.ts'
import { askProbe, probeArgv, readFacts } from './doctor-probe.ts'
import type { Check } from './doctor-run.ts'
import { run } from './process.ts'
import { settleKey } from './ssh-key.ts'
import { findSource } from './survey-ends.ts'

/** The signal of the check ends a call much earlier. */
const CALL_TIMEOUT = millis(600_000)

/** rclone would try ten times, for longer than anybody waits for a diagnosis. */
const impatience = { RCLONE_LOW_LEVEL_RETRIES: '1', RCLONE_CONTIMEOUT: '10s' }

/** What has to be well before a place is asked: its key, its configuration. */
type Before = readonly Check[]

export function sourceCheck(context: ConfigContext, { from }: Transfer, before: Before): Check {
  return placeCheck(from, 'endpoints', before, async (signal) => {
    // In a process of its own: a dead file system must not take this one with it.
    if (from.kind === 'local') await askProbe(context, signal, 'file', from.path)
    signal.throwIfAborted()
    if (from.kind === 's3') {
      const missing = await bucketTrouble(context, from, signal)
      if (missing !== undefined) return missing
    }
    const found = await findSource(from, (location) => placeContext(context, location, signal))
    return found.ok
      ? [good(`source ${placeText(from)}: a ${found.value.kind}`)]
      : found.error.map((diagnostic) => trouble(diagnostic))
  })
}

export function destinationCheck(context: ConfigContext, { to }: Transfer, before: Before): Check {
  return placeCheck(to, 'destinations', before, async (signal) => {
    if (to.kind === 'local')
      return judgeDestination(
        placeText(to),
        to.path,
        await askProbe(context, signal, 'folder', to.path),
        context.bytesText,
      )
    if (to.kind === 's3') {
      const missing = await bucketTrouble(context, to, signal)
      if (missing !== undefined) return missing
    }
    const asked = await askPlace(placeContext(context, to, signal))
    if (!asked.ok) return asked.error.map((diagnostic) => trouble(diagnostic))
    const { location } = asked.value
    if (location.kind === 'ssh') return askServerFolder(context, location, signal)
    return [good(`destination ${placeText(to)}: answers; that it may be written is not tried`)]
  })
}

function placeCheck(
  location: Location,
  topic: 'endpoints' | 'destinations',
  before: Before,
  ask: Check['ask'],
): Check {
  const side = topic === 'endpoints' ? 'source' : 'destination'
  return {
    topic,
    subject: `${side} ${placeText(location)}`,
    ifSilent:
      location.kind === 'local'
        ? 'Look at the file system that it lies on.'
        : `See that the endpoint ${location.endpoint} is right and up, and that this machine may connect to it.`,
    async ask(signal) {
      const findings = (await Promise.all(before.map((check) => check.ask(signal)))).flat()
      return findings.some(({ verdict }) => verdict === 'error') ? [] : ask(signal)
    },
  }
}

function placeContext(context: ConfigContext, location: RemoteLocation, signal: AbortSignal): PlaceContext {
  return {
    location,
    rclonePath: context.rclonePath,
    env: { ...context.env, ...placeEnvironment(location), ...impatience },
    signal,
  }
}

/** What is wrong with a bucket, asked for as a whole: a prefix without keys is no trouble. */
async function bucketTrouble(
  context: ConfigContext,
  location: S3Location,
  signal: AbortSignal,
): Promise<readonly Finding[] | undefined> {
  const asked = await askPlace(placeContext(context, { ...location, path: '' }, signal))
  return asked.ok ? undefined : asked.error.map((diagnostic) => trouble(diagnostic))
}

async function askServerFolder(
  { probe, env, bytesText }: ConfigContext,
  location: SshLocation,
  stop: AbortSignal,
): Promise<readonly Finding[]> {
  const settled = await settleKey(location, env)
  if (!settled.ok) return settled.error.map((diagnostic) => trouble(diagnostic))
  const words = probeArgv(probe, 'folder', sshPath(location))
  const argv = [...sshCommand(settled.value.server), onServer(words)] as const
  const answer = await run(argv, { timeoutMillis: CALL_TIMEOUT, env, stop, ownGroup: true })
  const facts = answer.ok ? readFacts(answer.value.stdout) : undefined
  return judgeDestination(placeText(location), path.posix.normalize(sshPath(location)), facts, bytesText)
}
