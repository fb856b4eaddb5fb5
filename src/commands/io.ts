/** What a verb may touch of the world it was started in. Tests and the terminal give the same. */

/** Enough for verbs that only read files and print. */
export interface TextIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly isColour: boolean
}

/** For verbs that ask, run and may be stopped. */
export interface CommandIo extends TextIo {
  readonly stdin: NodeJS.ReadableStream
  /** A person sits there: questions make sense. */
  readonly isTerminal: boolean
  /** Standard output, as against diagnostics, may be coloured. */
  readonly isOutputColour: boolean
  readonly version: string
  /** Fires at the first Ctrl-C, TERM or hang-up. */
  readonly interrupt: AbortSignal
  readonly now: () => Date
}
