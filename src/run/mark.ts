/** Done-marks: the verdict on one attempt of one shard, as the worker script writes it (`N.end`). */

export type MarkResult = 'done' | 'failed' | 'released' | 'fenced'

export interface Mark {
  readonly shard: string
  readonly attempt: number
  readonly result: MarkResult
  readonly exitCode: number
  /** Entries proven, of all kinds, and the bytes of the regular files among them. */
  readonly files: number
  readonly bytes: number
  /** Entries given up on, named in `N.failed`. */
  readonly failed: number
  readonly seconds: number
  /** `index.restart.node.pid.time` of the worker. */
  readonly by: string
}

const keys = [
  'shard',
  'attempt',
  'result',
  'exit',
  'files',
  'bytes',
  'failed',
  'seconds',
  'by',
  'when',
] as const
const results: readonly string[] = ['done', 'failed', 'released', 'fenced'] satisfies readonly MarkResult[]

/**
 * Reads a verdict. Returns undefined for anything torn, empty or foreign: such a file proves nothing, and the shard
 * is open. The last line repeats shard and attempt, so a cut or mixed-up file never passes.
 */
export function parseMark(text: string, shard: string, attempt: number): Mark | undefined {
  const lines = text.split('\n')
  if (lines.length !== keys.length + 3 || lines[0] !== 'soxplan-end 1' || lines.at(-1) !== '')
    return undefined
  if (lines[keys.length + 1] !== `end ${shard}.${attempt}`) return undefined
  const values = keys.map((key, index) => {
    const line = lines[index + 1] ?? ''
    return line.startsWith(`${key} `) ? line.slice(key.length + 1) : undefined
  })
  const [inShard, inAttempt, result, exit, files, bytes, failed, took, by] = values
  const numbers = [inAttempt, exit, files, bytes, failed, took].map((value) =>
    /^\d+$/.test(value ?? '') ? Number(value) : NaN,
  )
  if (inShard !== shard || numbers[0] !== attempt || numbers.some(Number.isNaN) || by === undefined)
    return undefined
  if (result === undefined || !isResult(result)) return undefined
  const [, exitCode = 0, filesCount = 0, bytesCount = 0, failedCount = 0, secondsTook = 0] = numbers
  return {
    shard,
    attempt,
    result,
    exitCode,
    files: filesCount,
    bytes: bytesCount,
    failed: failedCount,
    seconds: secondsTook,
    by,
  }
}

function isResult(value: string): value is MarkResult {
  return results.includes(value)
}

/** Why an entry was given up on, in the words of the worker script. */
export type FailureClass =
  | 'vanished'
  | 'changed'
  | 'unreadable'
  | 'denied'
  | 'no-space'
  | 'link-in-path'
  | 'not-copied'
  | 'differs'
  | 'forbidden'
  | 'no-bucket'
  | 'no-keys'
  | 'expired'
  | 'throttled'
  | 'cut-off'
  | 'unproven'
  | 'size-differs'
  | 'no-attributes'
  | 'changed-since-preview'
  | 'behind-link'
  | 'not-empty'
  | 'not-deleted'

export interface FailedEntry {
  readonly failure: string
  /** Raw bytes of the path as latin1 text, without `./`. */
  readonly path: string
}

/** The records of `N.failed`: `CLASS ./PATH`, NUL-terminated. */
export function parseFailed(content: Buffer): readonly FailedEntry[] {
  return content
    .toString('latin1')
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const space = record.indexOf(' ')
      return { failure: record.slice(0, space), path: record.slice(space + 1).replace(/^\.\//, '') }
    })
}
