/** Writes the lists of a hundred shards into the folder it is given: run where few files may be open at once. */

import { file } from '../shard/entries.ts'
import { contentsOf, plannedSource, writeLists } from './shard-source.ts'

const base = process.argv[2] ?? ''
const entries = Array.from({ length: 2000 }, (_, index) => file(`${String(index)}-${'n'.repeat(200)}`, 1))
const source = await plannedSource(base, entries, 100)
const result = await writeLists(source)
const written = Object.entries(await contentsOf(source.folder))
const listed = written.flatMap(([name, text]) =>
  name.endsWith('.list') ? text.split('\0').slice(0, -1) : [],
)
if (!result.ok || new Set(listed).size !== entries.length)
  throw new Error(`lists are not whole: ${String(listed.length)}`)
console.log(`${String(source.plan.shards.length)} shards, ${String(written.length)} files`)
