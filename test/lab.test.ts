import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { labAvailable } from './lab/available.ts'
import { startLab } from './lab/lab.ts'
import { processesOf } from './lab/processes.ts'

const run = promisify(execFile)

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

describe.skipIf(!labAvailable())('a lab', () => {
  test('packs two real-size jobs on the node that has room for both', async () => {
    await using lab = await startLab()
    const size = ['--cpus-per-task=64', '--mem=500G']
    const jobs = [
      await lab.sbatch(...size, '--nodelist=n1', '--wrap', 'sleep 60'),
      await lab.sbatch(...size, '--nodelist=n1', '--wrap', 'sleep 60'),
      await lab.sbatch(...size, '--nodelist=n4', '--wrap', 'sleep 60'),
      await lab.sbatch(...size, '--nodelist=n4', '--wrap', 'sleep 60'),
    ]
    for (const job of [jobs[0], jobs[2], jobs[3]]) await lab.untilJob(job ?? '', ['RUNNING'])
    expect(await lab.jobState(jobs[1] ?? '')).toBe('PENDING')
    await expect(lab.sbatch('--cpus-per-task=200', '--wrap', 'true')).rejects.toThrow('not available')
  })

  test('releases a child of one array task while the other tasks still wait', async () => {
    await using lab = await startLab()
    const array = await lab.sbatch(
      '--hold',
      '--array=0-3%1',
      '--wrap',
      '[ $SLURM_ARRAY_TASK_ID = 0 ] || sleep 60',
    )
    const child = await lab.sbatch(`--dependency=afterok:${array}_0`, '--wrap', 'true')
    expect(await lab.jobState(child)).toBe('PENDING')
    await lab.scontrol('release', array)
    await lab.untilJob(child, ['COMPLETED'])
    expect(await lab.jobState(`${array}_3`)).toBe('PENDING')
  })

  test('keeps jobs over a frozen and a killed controller', async () => {
    await using lab = await startLab({ settings: { MessageTimeout: '2' } })
    const job = await lab.sbatch('--wrap', 'sleep 300')
    await lab.untilJob(job, ['RUNNING'])
    lab.ctld.freeze()
    const asked = await lab.run('squeue')
    expect(asked.exitCode).toBe(1)
    expect(asked.stderr).toContain('timed out')
    lab.ctld.thaw()
    expect(await lab.jobState(job)).toBe('RUNNING')
    await lab.ctld.stop()
    expect(await lab.scontrol('ping').catch(() => 'is DOWN')).toContain('is DOWN')
    await lab.ctld.start()
    expect(await lab.jobState(job)).toBe('RUNNING')
  })

  test('drains a node, loses one and takes both back', async () => {
    await using lab = await startLab({ settings: { SlurmdTimeout: '3', MessageTimeout: '2' } })
    await lab.drain('n1')
    expect(await lab.nodeState('n1')).toBe('drained')
    await lab.resume('n1')
    await lab.until('n1 is idle', async () => (await lab.nodeState('n1')) === 'idle')
    const beats = join(lab.folder, 'beats')
    const job = await lab.sbatch(
      '--nodelist=n2',
      '--requeue',
      '--wrap',
      `while date >> ${beats}; do sleep 0.1; done`,
    )
    await lab.untilJob(job, ['RUNNING'])
    await lab.slurmd('n2').kill()
    await lab.until('n2 is down', async () => (await lab.nodeState('n2')).startsWith('down'))
    await lab.untilJob(job, ['PENDING'])
    // The old life of the job goes on writing although Slurm has given it up.
    const size = (await stat(beats)).size
    await lab.until('the job still writes', async () => (await stat(beats)).size > size)
    await lab.slurmd('n2').start()
    expect(await lab.nodeState('n2')).toMatch(/^(idle|allocated|mixed)$/)
  })

  test('puts shims before the real commands', async () => {
    await using lab = await startLab()
    const submit = await lab.shim('sbatch', { stdout: 'Welcome\n', exitCode: 1, pass: true, times: 1 })
    const queue = await lab.shim('squeue', { stderr: 'no answer\n', exitCode: 1 })
    const shell = async (text: string): Promise<string> =>
      (await run('bash', ['-c', text], { env: queue.env, cwd: lab.folder })).stdout
    expect(await shell('sbatch --parsable --wrap "a b" || echo "failed: $?"')).toBe('Welcome\n1\nfailed: 1\n')
    expect(await shell('sbatch --parsable --wrap true')).toBe('2\n')
    expect(await shell('squeue 2>&1 || echo "failed: $?"')).toBe('no answer\nfailed: 1\n')
    expect(await submit.calls()).toEqual([
      ['--parsable', '--wrap', 'a b'],
      ['--parsable', '--wrap', 'true'],
    ])
    await queue.remove()
    expect(await shell('squeue --noheader --states=all --format=%i --sort=i')).toBe('1\n2\n')
  })

  test('stands beside another lab', async () => {
    await using one = await startLab()
    await using two = await startLab()
    const job = await one.sbatch('--wrap', 'sleep 60')
    await one.untilJob(job, ['RUNNING'])
    expect(await two.squeue('--noheader')).toBe('')
    await one.close()
    expect(await two.nodeState('n1')).toBe('idle')
  })

  test('leaves neither process nor folder, whatever state it was in', async () => {
    const lab = await startLab()
    const stubborn = await lab.sbatch('--wrap', `trap '' TERM HUP; env -i setsid sleep 321 & sleep 300; wait`)
    await lab.untilJob(stubborn, ['RUNNING'])
    await lab.slurmd('n1').kill()
    lab.ctld.freeze()
    expect((await processesOf(lab.folder)).length).toBeGreaterThan(5)
    await lab.close()
    expect(await processesOf(lab.folder)).toEqual([])
    expect(await exists(lab.folder)).toBe(false)
  })

  test('ends when the process that opened it is killed', async () => {
    const owner = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('lab/open.ts', import.meta.url))],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let printed = ''
    for await (const chunk of owner.stdout) {
      printed += String(chunk)
      if (/SLURM_CONF=.*\n/.test(printed)) break
    }
    const folder = /SLURM_CONF=(.*)\/slurm\.conf/.exec(printed)?.[1] ?? ''
    expect(await readFile(join(folder, 'slurm.conf'), 'utf8')).toContain('ClusterName=lab')
    const ended = once(owner, 'exit')
    owner.kill('SIGKILL')
    await ended
    await expect.poll(() => exists(folder), { timeout: 20_000 }).toBe(false)
    expect(await processesOf(folder)).toEqual([])
  })
})

describe.skipIf(!labAvailable({ accounting: true }))('a lab with accounting', () => {
  test('answers sacct, and goes on without it while slurmdbd is away', async () => {
    await using lab = await startLab({ accounting: true })
    const first = await lab.sbatch('--wrap', 'true')
    const ended = async (job: string): Promise<boolean> =>
      (await lab.sacct('-X', '-n', '-P', '--format=State', `--jobs=${job}`)) === 'COMPLETED'
    await lab.until('the first job is in the books', () => ended(first))
    await lab.dbd.stop()
    expect((await lab.run('sacct')).exitCode).toBe(1)
    const second = await lab.sbatch('--wrap', 'true')
    await lab.untilJob(second, ['COMPLETED'])
    await lab.dbd.start()
    await lab.until('the second job is in the books', () => ended(second))
  })
})
