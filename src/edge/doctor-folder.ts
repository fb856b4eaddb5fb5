/** What the shell found out about a folder that is to be written to, in words. */

import path from 'node:path'
import { bad, good, type Finding } from '../diagnostic-finding.ts'
import type { Facts, ProbeContext } from './doctor-probe.ts'

/** Less than this is little for whatever is worth a plan. */
const LITTLE_ROOM_BYTES = 2 ** 30
/** Fewer new names than this are few. */
const FEW_NAMES = 1000

type BytesText = ProbeContext['bytesText']

/** `place` as a person calls it, `folder` as it is there. Undefined facts: nobody could look. */
export function judgeDestination(
  place: string,
  folder: string,
  facts: Facts | undefined,
  bytesText: BytesText,
): readonly Finding[] {
  if (facts?.get('is') === undefined)
    return [
      bad(
        'unknown',
        'SX702',
        `destination ${place} could not be looked at`,
        'Look at the file system that it lies on.',
      ),
    ]
  const up = Number(facts.get('up') ?? 0)
  const nearest = Array.from({ length: up }).reduce<string>((at) => path.dirname(at), folder)
  if (facts.get('is') !== 'directory')
    return [
      bad(
        'error',
        'SX301',
        `the destination ${place} is not a directory`,
        'Correct `to` in the plan, or move away what stands there.',
        up === 0 ? undefined : `${nearest} stands in its way.`,
      ),
    ]
  if (!facts.has('writable'))
    return [
      bad(
        'error',
        'SX709',
        `destination ${place} may not be written by you`,
        `Ask the owner of ${nearest} for write access, or correct \`to\` in the plan.`,
      ),
    ]
  return judgeRoom(place, up === 0 ? 'may be written' : `may be made in ${nearest}`, facts, bytesText)
}

function judgeRoom(place: string, state: string, facts: Facts, bytesText: BytesText): readonly Finding[] {
  const [free, names] = [Number(facts.get('free')), Number(facts.get('names'))]
  if (!facts.has('free')) return [good(`destination ${place}: ${state}`)]
  const isLittle = free < LITTLE_ROOM_BYTES || (names > 0 && names < FEW_NAMES)
  return [
    good(`destination ${place}: ${state}, ${bytesText(free)} free`),
    ...(isLittle
      ? [
          bad(
            'warning',
            'SX710',
            `there is little room at ${place}: ${bytesText(free)}${Number.isFinite(names) ? `, ${names} new names` : ''}`,
            'Make room there, or ask for a larger quota.',
          ),
        ]
      : []),
  ]
}
