import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeLock } from '../../src/edge/lock.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'soxplan-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const now = (): Date => new Date('2026-11-22T21:00:00Z')

test('one holds it, the second is told who, and after its release it can be had again', async () => {
  const first = await takeLock(folder, now)
  const second = await takeLock(folder, now)
  expect(second).toMatchObject({
    ok: false,
    error: [
      {
        code: 'SX601',
        what: `Another soxplan works in this state folder: process ${process.pid} on ${os.hostname()}, since 2026-11-22T21:00:00.000Z`,
      },
    ],
  })
  if (first.ok) await first.value.release()
  expect((await takeLock(folder, now)).ok).toBe(true)
  expect(await readdir(folder)).toEqual(['lock'])
})

test('of many takers of a dead lock exactly one gets it', async () => {
  const dead = spawnSync('true').pid
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  await writeFile(
    path.join(folder, 'lock'),
    JSON.stringify({ host: os.hostname(), bootId, pid: dead, since: 'then' }),
  )
  const takers = await Promise.all(Array.from({ length: 8 }, () => takeLock(folder, now)))
  expect(takers.filter((taker) => taker.ok)).toHaveLength(1)
  expect(await readdir(folder)).toEqual(['lock'])
})

test('a lock of another host is never taken over, however old, nor one that can not be read', async () => {
  await writeFile(
    path.join(folder, 'lock'),
    JSON.stringify({ host: 'elsewhere', bootId: '', pid: 1, since: '1999' }),
  )
  expect((await takeLock(folder, now)).ok).toBe(false)
  await writeFile(path.join(folder, 'lock'), 'torn')
  expect((await takeLock(folder, now)).ok).toBe(false)
})
