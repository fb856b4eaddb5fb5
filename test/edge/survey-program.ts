/** Surveys `from` against `to` of the folder it is given, as a program of its own that can be watched from outside. */

import { surveyed } from './survey-rig.ts'

const found = await surveyed(process.argv[2] ?? '')
console.log(`${String(found.entries)} entries`)
