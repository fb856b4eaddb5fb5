/** Which of some names stand in a run's own listing. */

import { ok, type Result } from '../diagnostic.ts'
import { pathText } from '../inventory/summary.ts'
import { scanManifest } from './manifest-file.ts'

/**
 * Those of `names` that the manifest lists, each as the other: `./a/b`, latin1 text of raw bytes. Reads the whole
 * manifest, unless there is nothing to look for. Fails SX322.
 */
export async function listedAmong(
  manifestPath: string,
  names: ReadonlySet<string>,
): Promise<Result<ReadonlySet<string>>> {
  const listed = new Set<string>()
  if (names.size === 0) return ok(listed)
  const scanned = await scanManifest(manifestPath, (view) => {
    const name = `./${pathText(view)}`
    if (names.has(name)) listed.add(name)
  })
  return scanned.ok ? ok(listed) : scanned
}
