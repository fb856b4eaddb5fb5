/** A process of its own that opens a server of the lab, for tests of what is left when that process dies. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Owner {
  /** The folder of the server that it opened. */
  readonly folder: string
  /** SIGKILL, and waits. */
  kill(): Promise<void>
}

/** Calls the function `open` of the module `file` of this folder, and returns when what it opened stands. */
export async function startOwner(file: string, open: string): Promise<Owner> {
  const url = new URL(file, import.meta.url).href
  const script = `
    const server = await (await import(${JSON.stringify(url)})).${open}()
    console.log(server.folder)
    setInterval(() => undefined, 60_000)`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(owner, 'exit')
  for await (const folder of createInterface({ input: owner.stdout })) {
    const kill = async (): Promise<void> => {
      owner.kill('SIGKILL')
      await ended
    }
    return { folder, kill }
  }
  throw new Error(`${open} of ${file} opened nothing`)
}
