/** `FILES DIRECTORIES FLAT_SHARE SHARDS`: one partition in a process of its own; prints the most memory it ever held, in MiB. */

import { cacheFolder, withOutputFolder } from './folders.ts'
import { listing } from './listing.ts'
import { partition } from './partition.ts'

const [files = 0, directories = 0, flatShare = 0, shards = 0] = process.argv.slice(2).map(Number)
const source = await listing(await cacheFolder(), { files, directories, flatShare })
// Without shards it only makes the listing, whose memory is not the planner's.
if (shards > 0) await withOutputFolder((folder) => partition(source, shards, folder))
console.log(Math.round(process.resourceUsage().maxRSS / 1024))
