/** Finds the processes of a lab. */

import { readdir, readFile, readlink } from 'node:fs/promises'

/** The pids of living processes that belong to the lab in `folder`: its name is in their environment, or they log there. */
export async function processesOf(folder: string): Promise<readonly number[]> {
  const all = await allProcesses()
  const marked = await Promise.all(
    all.map(async ({ pid, log }) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.includes(folder) || log.startsWith(`${folder}/`) ? [pid] : []
    }),
  )
  return marked.flat()
}

/** The pids of living processes whose standard error is the file `log`, and of all their descendants. */
export async function processesLoggingTo(log: string): Promise<readonly number[]> {
  const all = await allProcesses()
  const members = new Set<number>(all.filter((one) => one.log === log).map(({ pid }) => pid))
  for (let before = -1; before < members.size;) {
    before = members.size
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid)
  }
  return [...members]
}

interface Process {
  readonly pid: number
  readonly parent: number
  /** What its standard error leads to. */
  readonly log: string
}

async function allProcesses(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const parent = await parentOf(pid)
      const log = await readlink(`/proc/${pid}/fd/2`).catch(() => '')
      return parent === undefined ? [] : [{ pid, parent, log }]
    }),
  )
  return found.flat()
}

/** Undefined for a process that is gone, or dead and not yet waited for. */
async function parentOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name stands in brackets and may hold anything, brackets and spaces too.
  const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || parent === undefined ? undefined : Number(parent)
}
