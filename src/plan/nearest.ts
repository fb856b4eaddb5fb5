/** The known word that a misspelt one most likely meant. */

/** A word this far off is no typing mistake any more. */
function allowedEdits(word: string): number {
  return Math.max(1, Math.floor(word.length / 3))
}

/** The nearest candidate by edit distance, the first of equals; undefined when none is near. Case does not count. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = allowedEdits(word) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** `Did you mean 'transfers'? Otherwise …`; only `otherwise` when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>, otherwise = ''): string {
  const near = nearest(word, candidates)
  if (near === undefined) return otherwise
  const rest = otherwise === '' ? '' : ` Otherwise ${otherwise.charAt(0).toLowerCase()}${otherwise.slice(1)}`
  return `Did you mean '${near}'?${rest}`
}

/** More names than these help nobody in a message. */
const MAX_NAMES = 30

/** `Did you mean 'nodes'?`, or all that could have been meant. */
export function nearestOrAll(word: string, candidates: readonly string[], label: string): string {
  const rest = candidates.length > MAX_NAMES ? `, and ${candidates.length - MAX_NAMES} more` : ''
  return didYouMean(word, candidates) || `${label}: ${candidates.slice(0, MAX_NAMES).join(', ')}${rest}.`
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(a: string, b: string): number {
  let older: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, at(older, j - 2) + 1)
      row.push(edits)
    }
    ;[older, last] = [last, row]
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
