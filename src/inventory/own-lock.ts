/** The name of the lock that lies in a folder while a run writes into it: it is nobody's data. */

import type { RecordView } from './entry.ts'

/** `.soxplan-`, so many hexadecimal digits, `.lock`. */
export const LOCK_DIGITS = 16
const LOCK_NAME = /^\.soxplan-[0-9a-f]{16}\.lock$/
const LOCK_NAME_BYTES = 30
const dot = 0x2e

export function isOwnLockName(name: string): boolean {
  return LOCK_NAME.test(name)
}

/** The same for the last name of an entry, without making text of the others. */
export function isOwnLock({ buffer, nameStart, pathEnd }: RecordView): boolean {
  if (pathEnd - nameStart !== LOCK_NAME_BYTES || buffer[nameStart] !== dot) return false
  return isOwnLockName(buffer.toString('latin1', nameStart, pathEnd))
}
