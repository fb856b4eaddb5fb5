/** The worker's fixed parts: bash files beside the compiled renderer. */

import { readFile } from 'node:fs/promises'
import { partNames, type ScriptParts } from '../script/parts.ts'

/** Reads `dist/script/*.sh`, or `src/script/*.sh` where TypeScript runs from its source. Missing ones are a broken installation, so this throws. */
export async function readScriptParts(): Promise<ScriptParts> {
  const texts = await Promise.all(
    partNames.map(async (name) => {
      const text = await readFile(new URL(`../script/${name}.sh`, import.meta.url), 'utf8')
      return [name, text] as const
    }),
  )
  return Object.fromEntries(texts) as ScriptParts
}
