import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeTree } from '../rig/tree.ts'
import { openCase, until, withVariables, type Case } from './case.ts'

/** The stage folder of a planned copy, with a shard that a worker elsewhere has claimed and is silent about. */
async function claimedStage(at: Case): Promise<string> {
  await writeTree(at.from, { a: 'a' })
  const folder = join(at.path, 'scripts')
  expect((await at.plan(['--scripts', folder])).exitCode).toBe(0)
  const stage = join(folder, 'stages/data.copy')
  await writeFile(join(stage, 'work/00001/1.claim'), '1.0.elsewhere.1.1\n')
  return stage
}

/** A worker that waits, as good as for ever, before it goes on with a silent one's shard. */
class Worker {
  readonly child: ChildProcess
  readonly end: Promise<unknown[]>
  said = ''

  constructor(stage: string, variables: NodeJS.ProcessEnv = {}) {
    const timing = { SOXPLAN_BEAT: '0.3', SOXPLAN_LEASE: '2', SOXPLAN_GRACE: '1000' }
    const env = withVariables({ ...timing, ...variables })
    this.child = spawn('bash', ['script.sh'], { cwd: stage, env, stdio: ['ignore', 'ignore', 'pipe'] })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.said += text))
    this.end = once(this.child, 'close')
  }
}

test('a worker that waits for a long time still ends when it is told to', async () => {
  await using at = await openCase({ tool: 'rsync' })
  const worker = new Worker(await claimedStage(at))
  await until(() => worker.said.includes('waits until its former tool must have stopped'))
  worker.child.kill('SIGTERM')
  expect((await worker.end)[0]).toBe(143)
})

test('a worker without the soxplan that started it ends by itself', async () => {
  await using at = await openCase({ tool: 'rsync' })
  const gone = spawn('true')
  await once(gone, 'close')
  const worker = new Worker(await claimedStage(at), { SOXPLAN_DRIVER_PID: String(gone.pid) })
  expect((await worker.end)[0]).toBe(143)
  expect(await readdir(at.path)).not.toContain('to')
})
