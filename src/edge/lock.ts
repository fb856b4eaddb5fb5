/** One `apply` at a time per state folder. The lock is a file made exclusively; who holds it stands in it, and a beat. */

import { randomBytes } from 'node:crypto'
import { link, open, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failWith, ok } from '../diagnostic.ts'
import type { Result } from '../diagnostic.ts'
import { whoIsHere } from './cancel-request.ts'
import { isErrno } from './files.ts'

/** The holder writes the next beat after this long; others see by it that it lives. */
const BEAT_MILLIS = 5000
/** A holder that stays silent for this long, some beats, is taken for gone by `force-unlock`, and by nobody else. */
export const silenceMillis = 4 * BEAT_MILLIS

export interface Lock {
  /** Fires when the lock is gone or somebody else's: `force-unlock`, or a folder that was removed. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

export interface Holder {
  readonly id: string
  /** `user on host`. */
  readonly who: string
  readonly host: string
  readonly bootId: string
  readonly pid: number
  readonly since: string
  /** Grows while the holder lives. Always as many digits, so that a beat is written in one piece over the one before. */
  readonly beat: string
}

function lockFile(stateDir: string): string {
  return path.join(stateDir, 'lock')
}

/**
 * Takes the lock of `stateDir`, or says who holds it. A lock whose process is dead on this very machine is taken
 * over; one of another host never is, because nobody here can tell whether it lives.
 */
export async function takeLock(stateDir: string, now: () => Date): Promise<Result<Lock>> {
  const file = lockFile(stateDir)
  const id = randomBytes(4).toString('hex')
  const me: Holder = {
    id,
    who: whoIsHere(),
    host: os.hostname(),
    bootId: await bootId(),
    pid: process.pid,
    since: now().toISOString(),
    beat: beatText(0),
  }
  const draft = path.join(stateDir, `lock.${id}`)
  await writeFile(draft, lockText(me), { mode: 0o600 })
  try {
    for (let round = 0; round < 2; round++) {
      try {
        await link(draft, file)
        return ok(held(file, me))
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error
      }
      const holder = await readHolder(file)
      if (holder === undefined || !isDeadHere(holder, me)) return await heldBy(file, draft, holder)
      await clearDead(file, draft, me)
    }
    return await heldBy(file, draft, await readHolder(file))
  } finally {
    await unlink(draft)
  }
}

/** Beats until it is released or lost. A beat that can not be written, on a full disk for instance, is left out. */
function held(file: string, me: Holder): Lock {
  const lost = new AbortController()
  let beat = 0
  let writing = Promise.resolve()
  const isMine = async (): Promise<boolean> => (await readHolder(file))?.id === me.id
  const next = async (): Promise<void> => {
    if (!(await isMine())) {
      clearInterval(timer)
      lost.abort()
      return
    }
    const handle = await open(file, 'r+')
    await handle.write(lockText({ ...me, beat: beatText(++beat) }), 0).finally(() => handle.close())
  }
  const timer = setInterval(() => {
    writing = writing.then(next).catch(() => undefined)
  }, BEAT_MILLIS)
  timer.unref()
  return {
    lost: lost.signal,
    release: async () => {
      clearInterval(timer)
      await writing
      if (await isMine()) await rm(file, { force: true })
    },
  }
}

function beatText(beat: number): string {
  return String(beat).padStart(10, '0')
}

function lockText(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`
}

/** Who holds the lock of `stateDir` and is not known to be dead; undefined: nobody. */
export async function lockHolder(stateDir: string): Promise<Holder | undefined> {
  const holder = await readHolder(lockFile(stateDir))
  const isDead = holder !== undefined && isDeadHere(holder, { host: os.hostname(), bootId: await bootId() })
  return isDead ? undefined : holder
}

export interface Listening {
  readonly silenceMillis: number
  readonly interrupt: AbortSignal
  /** Called when only waiting can tell. */
  readonly onListening: () => void
}

/**
 * Removes the lock `id` of a holder that is gone: one of this machine whose process has ended, or one of another that
 * did not beat for so long, by this process's own waiting and nobody's clock. Undefined when there is no lock. Fails SX609 for another id and
 * SX610 for a holder that lives. Throws the signal's reason.
 */
export async function forceUnlock(
  stateDir: string,
  id: string,
  listening: Listening,
): Promise<Result<Holder | undefined>> {
  const file = lockFile(stateDir)
  const holder = await readHolder(file)
  if (holder === undefined) return ok(undefined)
  if (holder.id !== id)
    return failWith(
      'SX609',
      `The lock of ${stateDir} is ${holder.id}, not ${id}: ${describe(holder)}`,
      `If that process is surely gone: soxplan force-unlock ${holder.id} --state ${stateDir}`,
    )
  const me = { host: os.hostname(), bootId: await bootId() }
  if (!isDeadHere(holder, me)) {
    const alive = failWith(
      'SX610',
      `The holder of lock ${id} lives: ${describe(holder)}`,
      'Wait for it, or end it there with Ctrl-C; what is proven is kept.',
    )
    if (isHere(holder, me)) return alive
    listening.onListening()
    await sleep(listening.silenceMillis, undefined, { signal: listening.interrupt })
    const later = await readHolder(file)
    if (later?.id === id && later.beat !== holder.beat) return alive
    if (later?.id !== id) return ok(undefined)
  }
  await rm(file, { force: true })
  return ok(holder)
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

/** `draft` was written just now on the same file system, whose clock tells how long ago the last beat was. */
async function heldBy(file: string, draft: string, holder: Holder | undefined): Promise<Result<never>> {
  const [here, there] = await Promise.all([stat(draft), stat(file).catch(() => undefined)])
  const seconds = there === undefined ? 0 : Math.max(0, Math.round((here.mtimeMs - there.mtimeMs) / 1000))
  const who = holder === undefined ? 'somebody' : describe(holder)
  return failWith(
    'SX601',
    `Another soxplan works in this state folder: ${who}; last heard of ${seconds} s ago`,
    holder === undefined
      ? `Wait for it to end. If that process is surely gone, remove ${file} and run this again.`
      : `Wait for it to end. If that process is surely gone: soxplan force-unlock ${holder.id} --state ${path.dirname(file)}`,
  )
}

function describe({ pid, who, since }: Holder): string {
  return `process ${pid} of ${who}, since ${since}`
}

/** On this very machine, since it was started. */
function isHere(holder: Holder, me: Pick<Holder, 'host' | 'bootId'>): boolean {
  return holder.host === me.host && holder.bootId === me.bootId
}

function isDeadHere(holder: Holder, me: Pick<Holder, 'host' | 'bootId'>): boolean {
  if (holder.host !== me.host) return false
  if (!isHere(holder, me)) return true
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
    'id' in value &&
    'who' in value &&
    'beat' in value &&
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
