/** What a mirror deletes, as text: it stands apart from all else and before it, because it can not be taken back. */

import { formatBytes, formatCount, formatPlural } from './format.ts'
import type { DeletesPreview, Preview, TransferPreview } from './preview-model.ts'

/** Names shown per transfer; a file has all of them. */
export const DELETES_SHOWN = 10

/** One block for each transfer that deletes something. */
export function deleteBlocks({ transfers }: Preview): readonly (readonly string[])[] {
  return transfers.flatMap(({ name, to, deletes }) => {
    if (deletes === undefined) return []
    const more = deletes.count - deletes.first.length
    return [
      [
        `${name}, to delete in ${to}: ${deletesText(deletes)}`,
        ...deletes.first.map((entry) => `  ${entry}`),
        ...(more > 0 ? [`  and ${formatCount(more)} more; all of them: ${deletes.file ?? ''}`] : []),
      ],
    ]
  })
}

/** `2 files (8 B), 1 directory`. */
export function deletesText({ files, directories, symlinks, others, bytes }: DeletesPreview): string {
  return [
    ...(files > 0 ? [`${formatPlural(files, 'file')} (${formatBytes(bytes)})`] : []),
    ...(directories > 0 ? [formatPlural(directories, 'directory', 'directories')] : []),
    ...(symlinks > 0 ? [formatPlural(symlinks, 'symlink')] : []),
    ...(others > 0 ? [formatPlural(others, 'special file')] : []),
  ].join(', ')
}

/** Those whose transfer runs. */
export function runningDeletes({
  transfers,
}: Preview): readonly (TransferPreview & { deletes: DeletesPreview })[] {
  return transfers.flatMap((transfer) => {
    const { deletes, blockedBy } = transfer
    return deletes === undefined || blockedBy !== undefined ? [] : [{ ...transfer, deletes }]
  })
}

/** What is asked before anything starts; the deletions are named again. */
export function questionText(preview: Preview): string {
  const lines = runningDeletes(preview).map(
    ({ to, deletes }) => `This deletes ${deletesText(deletes)} in ${to}, once all else is proven.\n`,
  )
  return `\n${lines.join('')}Type yes to do exactly this: `
}
