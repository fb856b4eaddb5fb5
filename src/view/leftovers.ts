/** What a run left behind, as text. */

import { formatBytes, formatCount } from './format.ts'

export interface LeftoversShown {
  readonly transfer: string
  readonly place: string
  /** Paths are printable. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[]
  readonly uploads: readonly string[]
  readonly shared: readonly string[]
  readonly isLookedAt: boolean
}

/** Names shown per list. */
const NAMES_SHOWN = 20

/** @param folder the run folder, where it is to be removed too */
export function renderLeftovers(found: readonly LeftoversShown[], folder: string | undefined): string {
  const lines = found.flatMap(linesOf)
  const body = lines.length === 0 ? ['Nothing was left behind.'] : lines
  return [...body, ...(folder === undefined ? [] : [`The folder of the run: ${folder}`]), ''].join('\n')
}

function linesOf({ transfer, place, files, uploads, shared, isLookedAt }: LeftoversShown): readonly string[] {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return [
    ...(isLookedAt
      ? []
      : [
          `${transfer}: nobody can look for half files in ${place} from here; rclone names them NAME.xxxxxxxx.partial.`,
        ]),
    ...(files.length === 0
      ? []
      : [
          `${transfer}: ${formatCount(files.length)} half files (${formatBytes(bytes)}) in ${place}`,
          ...named(files.map(({ path }) => path)),
        ]),
    ...(uploads.length === 0
      ? []
      : [`${transfer}: ${formatCount(uploads.length)} broken uploads in ${place}`, ...named(uploads)]),
    ...(shared.length === 0
      ? []
      : [
          `${transfer}: ${formatCount(shared.length)} broken uploads in ${place} stay, because others began under the same names`,
          ...named(shared),
        ]),
  ]
}

function named(names: readonly string[]): readonly string[] {
  const more = names.length - NAMES_SHOWN
  return [
    ...names.slice(0, NAMES_SHOWN).map((name) => `  ${name}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ]
}
