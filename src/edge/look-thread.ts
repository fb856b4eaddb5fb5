/** The thread behind `LookAhead`: blocks of records come in, what stands in their places goes out. */

import { parentPort, workerData } from 'node:worker_threads'
import { createScanner } from '../inventory/scan.ts'
import { emptyAnswers, writeAnswer } from './look-answers.ts'
import { emptyFound, PathLook, type PathLookOptions } from './look-path.ts'

/** No record is shorter: ten fields, what separates them, and two NULs. */
const RECORD_BYTES_MIN = 20

const unreachable = emptyFound()
const look = new PathLook(workerData as PathLookOptions)

parentPort?.on('message', (block: Uint8Array<ArrayBuffer>) => {
  const answers = emptyAnswers(Math.ceil(block.length / RECORD_BYTES_MIN))
  let count = 0
  const scanner = createScanner('listing', (view) => {
    // The planner, who knows what stands above, takes no answer about what is not reachable.
    writeAnswer(look.isReachable(view) ? look.entry(view) : unreachable, answers, count++)
  })
  // A record that is none ends the scan here as it will there, where it is reported.
  scanner.push(Buffer.from(block.buffer, block.byteOffset, block.length))
  parentPort?.postMessage(answers, [answers.buffer])
})
