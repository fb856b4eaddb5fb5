/** The one question soxplan asks. */

import { createInterface } from 'node:readline/promises'

/** True only for an exact `yes`. End of input, Ctrl-D and an interrupt are a no. */
export async function askYes(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  interrupt: AbortSignal,
): Promise<boolean> {
  const lines = createInterface({ input, output, terminal: false })
  const closed = new Promise<string>((resolve) =>
    lines.once('close', () => {
      resolve('')
    }),
  )
  try {
    const answer = await Promise.race([lines.question(question, { signal: interrupt }), closed])
    return answer === 'yes'
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return false
    throw error
  } finally {
    lines.close()
  }
}
