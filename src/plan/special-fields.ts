/** Fields of which the usual mistake is known, so that the message can say more than "wrong form". */

import type { Finding } from './source.ts'

/** `written` is the value as it stands in the file. Undefined for every other field. */
export function specialFinding(field: string, written: string): Finding | undefined {
  const isQuoted = /^["']/.test(written)
  const inside = written.replaceAll(/^["']|["']$/g, '')
  switch (field) {
    case 'umask':
      return umask(inside, isQuoted)
    case 'bandwidth':
      return bandwidth(inside)
    case 'time':
      return {
        code: 'SX115',
        what: `'time' is not a duration that Slurm knows`,
        todo: 'Write it as hours:minutes:seconds or days-hours:minutes:seconds, such as 4:00:00 or 1-00:00:00.',
      }
    case 'memory':
      return {
        code: 'SX116',
        what: /^\d+$/.test(inside) ? "'memory' has no unit" : "'memory' is not an amount that Slurm knows",
        why: /^\d+$/.test(inside) ? 'Slurm would read it as MB.' : undefined,
        todo: 'Write a whole number with K, M, G or T, such as 500G; 0 is all that the node has.',
      }
    default:
      return undefined
  }
}

function umask(inside: string, isQuoted: boolean): Finding {
  if (/^[0-7]{3,4}$/.test(inside) && !isQuoted) {
    return {
      code: 'SX113',
      what: 'The umask is not in quotes',
      why: `YAML reads ${inside} as the decimal number ${Number(inside)}.`,
      todo: `Write umask: "${inside}".`,
    }
  }
  return {
    code: 'SX113',
    what: 'The umask is not an octal number',
    todo: 'Write three octal digits in quotes, such as "002" (group may write) or "022" (only the owner may).',
  }
}

function bandwidth(inside: string): Finding {
  const amount = /^(\d+(?:\.\d+)?)\s*([kKMGT]?)i?[bB]?(?:ps|its|it)?$/.exec(inside)
  if (amount === null) {
    return {
      code: 'SX114',
      what: "'bandwidth' is not a rate",
      todo: 'Write a number and a unit, such as 10Gbit/s (bits per second) or 1.2GiB/s (bytes per second).',
    }
  }
  const [, number, scale] = amount
  const prefix = scale === '' || scale === undefined ? 'M' : scale
  return {
    code: 'SX114',
    what: "'bandwidth' has no unit that tells bits from bytes",
    why: 'The two are a factor of eight apart.',
    todo: `Write ${number}${prefix}bit/s for bits, or ${number}${prefix}B/s for bytes, per second.`,
  }
}
