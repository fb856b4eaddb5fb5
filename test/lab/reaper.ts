/** The process that ends what was started in a temp folder, whatever becomes of the process that started it. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export class Reaper {
  /** Everything of the lab is in here, its logs too; gone after `close()`, but with SOXPLAN_LAB_KEEP=1. */
  readonly folder: string
  readonly #process: ChildProcess

  private constructor(folder: string, process: ChildProcess) {
    this.folder = folder
    this.#process = process
  }

  /** Makes a temp folder and watches over it. Processes are found as the head of reaper.sh says. */
  static async start(): Promise<Reaper> {
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'soxplan-lab-'))
    const keep = process.env['SOXPLAN_LAB_KEEP'] === '1' ? ['keep'] : []
    const script = fileURLToPath(new URL('reaper.sh', import.meta.url))
    const reaper = spawn(script, [folder, ...keep], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] })
    await once(reaper, 'spawn')
    return new Reaper(folder, reaper)
  }

  /** Ends every process of the folder and removes it. May be called twice. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.stdin?.end()
    const [code] = (await exited) as [number | null]
    if (code !== 0) throw new Error(`processes of the lab in ${this.folder} did not end`)
  }
}
