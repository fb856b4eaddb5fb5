/** One `apply` at a time per state folder. The lock is a file made exclusively; who holds it stands in it. */

import { randomBytes } from 'node:crypto'
import { link, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { isErrno } from './files.ts'

export interface Lock {
  release(): Promise<void>
}

interface Holder {
  readonly host: string
  readonly bootId: string
  readonly pid: number
  readonly since: string
}

/**
 * Takes the lock of `stateDir`, or says who holds it. A lock whose process is dead on this very machine is taken
 * over; one of another host never is, because nobody here can tell whether it lives.
 */
export async function takeLock(stateDir: string, now: () => Date): Promise<Result<Lock>> {
  const file = path.join(stateDir, 'lock')
  const me: Holder = {
    host: os.hostname(),
    bootId: await bootId(),
    pid: process.pid,
    since: now().toISOString(),
  }
  const draft = path.join(stateDir, `lock.${randomBytes(4).toString('hex')}`)
  await writeFile(draft, `${JSON.stringify(me)}\n`, { mode: 0o600 })
  try {
    for (let round = 0; round < 2; round++) {
      try {
        await link(draft, file)
        return ok({ release: () => rm(file, { force: true }) })
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error
      }
      const holder = await readHolder(file)
      if (holder === undefined || !isDeadHere(holder, me)) return heldBy(file, holder)
      await clearDead(file, draft, me)
    }
    return heldBy(file, await readHolder(file))
  } finally {
    await unlink(draft)
  }
}

/**
 * Removes a dead lock. Only whoever holds the guard may, and looks once more while holding it: otherwise two takers
 * could each remove what the other has just put in its place. Somebody else at it: nothing is done.
 */
async function clearDead(file: string, draft: string, me: Holder): Promise<void> {
  const guard = `${file}.takeover`
  try {
    await link(draft, guard)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return
    throw error
  }
  try {
    const holder = await readHolder(file)
    if (holder !== undefined && isDeadHere(holder, me)) await rm(file, { force: true })
  } finally {
    await unlink(guard)
  }
}

function heldBy(file: string, holder: Holder | undefined): Result<never> {
  const who =
    holder === undefined ? 'somebody' : `process ${holder.pid} on ${holder.host}, since ${holder.since}`
  return failWith(
    'SX601',
    `Another soxplan works in this state folder: ${who}`,
    `Wait for it to end. If that process is surely gone, remove ${file} and run this again.`,
  )
}

function isDeadHere(holder: Holder, me: Holder): boolean {
  if (holder.host !== me.host) return false
  if (holder.bootId !== me.bootId) return true
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return isErrno(error, 'ESRCH')
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isHolder(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'host' in value &&
    'pid' in value &&
    'bootId' in value &&
    'since' in value
  )
}

async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    return ''
  }
}
