import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { forceUnlock, takeLock } from '../../src/edge/lock.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'soxplan-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const now = (): Date => new Date('2026-11-22T21:00:00Z')

const holder = { id: 'abcd0123', who: 'ann on far', since: 'then', beat: '0000000001' }

test('one holds it, the second is told who, and after its release it can be had again', async () => {
  const first = await takeLock(folder, now)
  const second = await takeLock(folder, now)
  expect(second).toMatchObject({
    ok: false,
    error: [
      {
        code: 'SX601',
        what: `Another soxplan works in this state folder: process ${process.pid} of ${os.userInfo().username} on ${os.hostname()}, since 2026-11-22T21:00:00.000Z; last heard of 0 s ago`,
      },
    ],
  })
  if (first.ok) await first.value.release()
  const third = await takeLock(folder, now)
  expect(third.ok).toBe(true)
  expect(await readdir(folder)).toEqual(['lock'])
})

test('of many takers of a dead lock exactly one gets it', async () => {
  const dead = spawnSync('true').pid
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  await writeFile(
    path.join(folder, 'lock'),
    JSON.stringify({ ...holder, host: os.hostname(), bootId, pid: dead }),
  )
  const takers = await Promise.all(Array.from({ length: 8 }, () => takeLock(folder, now)))
  expect(takers.filter((taker) => taker.ok)).toHaveLength(1)
  expect(await readdir(folder)).toEqual(['lock'])
})

test('a lock of another host is never taken over, however old, nor one that can not be read', async () => {
  await writeFile(
    path.join(folder, 'lock'),
    JSON.stringify({ ...holder, host: 'elsewhere', bootId: '', pid: 1 }),
  )
  expect((await takeLock(folder, now)).ok).toBe(false)
  await writeFile(path.join(folder, 'lock'), 'torn')
  expect((await takeLock(folder, now)).ok).toBe(false)
})

test('force-unlock hears the beat of a holder on another machine, and takes silence for its end', async () => {
  const lock = path.join(folder, 'lock')
  const write = (beat: string): Promise<void> =>
    writeFile(lock, JSON.stringify({ ...holder, host: 'far', bootId: 'x', pid: 1, beat }))
  const { signal } = new AbortController()
  let beaten = Promise.resolve()
  await write('0000000001')
  const alive = await forceUnlock(folder, holder.id, {
    silenceMillis: 500,
    interrupt: signal,
    onListening: () => {
      beaten = write('0000000002')
    },
  })
  await beaten
  expect(alive).toMatchObject({
    ok: false,
    error: [
      { code: 'SX610', what: 'The holder of lock abcd0123 lives: process 1 of ann on far, since then' },
    ],
  })
  const silent = { silenceMillis: 10, interrupt: signal, onListening: () => undefined }
  expect(await forceUnlock(folder, holder.id, silent)).toMatchObject({
    ok: true,
    value: { who: 'ann on far' },
  })
  expect(await readdir(folder)).toEqual([])
  expect(await forceUnlock(folder, holder.id, silent)).toEqual({ ok: true, value: undefined })
})
