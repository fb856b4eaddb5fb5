/** Stands in for find at a destination that exists only as what find would say. Arguments: COUNT DIRECTORIES. */

import { listing } from './entries.ts'

const [count = 0, directories = 0] = process.argv.slice(2).map(Number)
for (const chunk of listing({ count, directories }))
  if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve))
