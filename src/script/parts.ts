/** The fixed parts of a worker script: bash files beside this one. */

import type { StageKind } from '../graph/step.ts'

/** Text of the files beside this one, by name without `.sh`. */
export type ScriptParts = Readonly<Record<ScriptPartName, string>>
export type ScriptPartName = (typeof partNames)[number]

/** Every part, in the order of a script. */
export const partNames = [
  'base',
  'claim',
  'guard',
  'tool',
  'parents',
  'causes',
  'places',
  'entries',
  'account',
  'folders',
  'handover',
  'said',
  'classify',
  'prefixes',
  'modes',
  'copy',
  'verify',
  'prune',
  'attributes',
  'fixup',
  'directories',
  'attempt',
  'loop',
] as const

/** Parts that not every kind of stage has. */
const onlyIn: Readonly<Partial<Record<ScriptPartName, readonly StageKind[]>>> = {
  entries: ['copy', 'fixup', 'verify', 'directories'],
  classify: ['copy'],
  copy: ['copy'],
  prefixes: ['copy'],
  modes: ['copy'],
  folders: ['copy', 'fixup'],
  handover: ['fixup', 'verify'],
  said: ['copy'],
  verify: ['verify'],
  prune: ['prune'],
  attributes: ['fixup', 'directories'],
  fixup: ['fixup'],
  directories: ['directories'],
}

/** Those of one script: what its stage needs, in their order. */
export function partsOf(stage: StageKind, takesPrefixes: boolean): readonly ScriptPartName[] {
  return partNames.filter(
    (name) => (onlyIn[name]?.includes(stage) ?? true) && (name !== 'prefixes' || takesPrefixes),
  )
}
