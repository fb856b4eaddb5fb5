/** A sign of life while sources are listed: one line that is written over on a terminal, a line now and then elsewhere. */

import type { Transfer } from '../plan/plan.ts'
import { formatCount } from '../view/format.ts'
import type { CommandIo } from './io.ts'

const TERMINAL_MILLIS = 200
const LOG_MILLIS = 30_000

export interface ListingProgress {
  readonly show: (transfer: Transfer, entries: number) => void
  readonly clear: () => void
}

export function listingProgress(io: CommandIo): ListingProgress {
  let lastMillis = io.isTerminal ? 0 : io.now().getTime()
  let isShown = false
  return {
    show: (transfer, entries) => {
      const nowMillis = io.now().getTime()
      if (nowMillis - lastMillis < (io.isTerminal ? TERMINAL_MILLIS : LOG_MILLIS)) return
      lastMillis = nowMillis
      const text = `Listing ${transfer.name}: ${formatCount(entries)} entries`
      io.stderr(io.isTerminal ? `\r\u001b[K${text}` : `${text}\n`)
      isShown = io.isTerminal
    },
    clear: () => {
      if (isShown) io.stderr('\r\u001b[K')
      isShown = false
    },
  }
}
