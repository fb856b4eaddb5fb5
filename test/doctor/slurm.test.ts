/** `soxplan doctor` asks a real Slurm: what it is, and whether it would take and start the plan's jobs. */

import { describe, expect, test } from 'vitest'
import { groundsOfLab, noLab } from '../apply-slurm/ground.ts'
import { tempFolder } from '../rig/folder.ts'
import { doctor, machine, section } from './machine.ts'

test('a machine without Slurm is told where plans run', async () => {
  await using temp = await tempFolder()
  const { stdout } = await doctor(temp.path, await machine(temp.path, {}))
  expect(section(stdout, 'Slurm')).toBe('  ok  no Slurm here: plans run on this machine')
})

describe.skipIf(noLab('doctor on Slurm'))('Slurm', () => {
  // A frozen controller is noticed after MessageTimeout.
  const groundOf = groundsOfLab({ settings: { MessageTimeout: '3', MaxArraySize: '101' } })
  const FIRST =
    /^ {2}ok {2}Slurm \d+\.\d+\.\S+, cluster lab\n {2}ok {2}no accounting; soxplan does without\n?/

  /** The lines about Slurm behind those about its version. */
  async function said(
    name: string,
    slurm: Readonly<Record<string, unknown>>,
    transfer: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly text: string; readonly exitCode: number }> {
    const ground = groundOf(name)
    await ground.tree('src', { a: 'a' })
    await ground.plan({ slurm, transfers: { data: transfer } })
    const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml'])
    const text = section(stdout.replace(/\n\n[^\n]*\n$/, ''), 'Slurm')
    expect(text).toMatch(FIRST)
    return { text: text.replace(FIRST, ''), exitCode }
  }

  test('without a plan every partition is shown', async () => {
    const ground = groundOf('bare')
    await ground.tree('src', { a: 'a' })
    const { stdout } = await ground.soxplan(['doctor'])
    expect(section(stdout, 'Slurm').replace(FIRST, '')).toBe(
      `  ok  partition main: 4 of 4 nodes up, 64 to 128 CPUs, 585.9 GiB to 1.1 TiB, jobs up to 7-00:00:00
  ok  partition short: 2 of 2 nodes up, 64 CPUs, 585.9 GiB, jobs up to 00:10:00`,
    )
  })

  test('jobs that would be taken are told with what they ask for, and none is submitted', async () => {
    const { text, exitCode } = await said('good', { time: '4:00:00' }, { slurm: { verify: { cpus: 2 } } })
    expect(text).toBe(
      `  ok  partition main: 4 of 4 nodes up, 64 to 128 CPUs, 585.9 GiB to 1.1 TiB, jobs up to 7-00:00:00
  ok  data.copy: Slurm takes jobs with --time=04:00:00
  ok  data.verify: Slurm takes jobs with --time=04:00:00 --cpus-per-task=2`,
    )
    expect(exitCode).toBe(0)
    expect(await groundOf('good').queue()).toEqual([])
  })

  test('a time above the limit of the partition is found, which Slurm would take and never start', async () => {
    const { text, exitCode } = await said('long', { partition: 'short', time: '4:00:00' })
    expect(text).toBe(
      `  ok  partition short: 2 of 2 nodes up, 64 CPUs, 585.9 GiB, jobs up to 00:10:00
  x   data.copy, data.verify: The time limit is longer than the partition allows: 04:00:00 (short 00:10:00) (SX514)
      The job would wait for ever.
      → Lower \`time\` under \`slurm:\`; a transfer may take longer than one job, its workers requeue themselves.`,
    )
    expect(exitCode).toBe(1)
  })

  test('so is the time that a plan does not name; one of two partitions is enough', async () => {
    const { text } = await said('untimed', { partition: 'short' })
    expect(text).toContain(
      'The time limit is longer than the partition allows: 1-00:00:00, because the plan names none (short 00:10:00) (SX514)\n',
    )
    expect((await said('either', { partition: 'short,main' })).text).toContain(
      '  ok  data.copy, data.verify: Slurm takes jobs with --time=1-00:00:00 --partition=short,main',
    )
  })

  test.each([
    [
      'partition',
      { partition: 'nowhere' },
      `  x   data.copy, data.verify: Slurm does not know this partition: nowhere (SX510)
      → Write one of those that \`sinfo --summarize\` lists under \`slurm: partition\`.`,
    ],
    [
      'cpus',
      { cpus: 500 },
      `  x   data.copy, data.verify: No node of this partition can give what one worker asks for (SX512)
      The largest have 128 CPUs and 1.1 TiB.
      → Lower \`cpus\` or \`memory\` under \`slurm:\`; \`sinfo --format="%P %c %m %f"\` shows what nodes have.`,
    ],
    [
      'memory',
      { memory: '2T' },
      `  x   data.copy, data.verify: No node of this partition can give what one worker asks for (SX512)
      The largest have 128 CPUs and 1.1 TiB.
      → Lower \`cpus\` or \`memory\` under \`slurm:\`; \`sinfo --format="%P %c %m %f"\` shows what nodes have.`,
    ],
    [
      'reservation',
      { reservation: 'none' },
      `  x   data.copy, data.verify: Slurm does not know this constraint, licence, gres or reservation (SX516)
      sbatch said: allocation failure: Requested reservation is invalid
      → Correct the field under \`slurm:\`; \`sinfo --format="%P %f %G"\`, \`scontrol show licenses\` and \`scontrol show reservations\` list what there is.`,
    ],
  ])('a %s that is not there is told', async (name, slurm, expected) => {
    const { text, exitCode } = await said(`no-${name}`, slurm)
    expect(
      text
        .split('\n')
        .filter((line) => !line.includes('ok  partition'))
        .join('\n'),
    ).toBe(expected)
    expect(exitCode).toBe(1)
  })

  test.each([['constraint'], ['licenses'], ['gres']])('so is %s', async (field) => {
    const { text } = await said(`odd-${field}`, { [field]: 'nothing' })
    expect(text).toContain(
      '  x   data.copy, data.verify: Slurm does not know this constraint, licence, gres or',
    )
  })

  test('more workers than an array may have are a warning', async () => {
    const { text, exitCode } = await said('many', {}, { nodes: 102 })
    expect(text).toContain(
      `  !   data: Slurm does not take an array with that many workers here: 102 (101 at most) (SX515)
      → Lower \`nodes\` below what \`scontrol show config | grep MaxArraySize\` says.
`,
    )
    expect(exitCode).toBe(0)
  })

  test('transfers that run here have no jobs to ask about', async () => {
    const { text } = await said('login', { partition: 'nowhere' }, { where: 'login' })
    expect(text).toBe('')
  })

  test('a partition that is closed, or whose nodes are all away, is told', async () => {
    const ground = groundOf('closed')
    await ground.lab.scontrol('update', 'PartitionName=short', 'State=DOWN')
    try {
      const { text, exitCode } = await said('closed', { partition: 'short', time: '5:00' })
      expect(text).toContain(
        `  x   partition short is DOWN: jobs do not start there (SX711)
      → Wait until it is UP, or name another one under \`slurm: partition\`.`,
      )
      expect(exitCode).toBe(1)
    } finally {
      await ground.lab.scontrol('update', 'PartitionName=short', 'State=UP')
    }
    for (const node of ['n1', 'n2'] as const) await ground.lab.drain(node)
    try {
      const { text } = await said('away', { partition: 'short', time: '5:00' })
      expect(text).toContain(
        `  !   partition short: none of its 2 nodes takes jobs now (2 drained) (SX711)
      → See \`sinfo --list-reasons\`, and ask whoever runs the cluster when they come back.`,
      )
    } finally {
      for (const node of ['n1', 'n2'] as const) await ground.lab.resume(node)
    }
  })

  test('variables of the shell do not change the answers', async () => {
    const ground = groundOf('shell')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {} } })
    const env = { ...ground.env, SBATCH_PARTITION: 'nowhere', SINFO_FORMAT: 'odd', SQUEUE_FORMAT: 'odd' }
    const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml'], env)
    expect(stdout).toContain('  ok  data.copy, data.verify: Slurm takes jobs with --time=1-00:00:00\n')
    expect(exitCode).toBe(0)
  })

  test('a controller that does not answer is never taken for no Slurm', async () => {
    const ground = groundOf('silent')
    await ground.tree('src', { a: 'a' })
    await ground.plan({ transfers: { data: {} } })
    ground.lab.ctld.freeze()
    try {
      const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml'])
      expect(section(stdout, 'Slurm')).toMatch(
        /^ {2}x {3}Slurm is installed, but its controller does not answer \(SX501\)\n {6}squeue said: .*\n {6}→ Try again when `scontrol ping` says UP, or use --executor local on purpose.$/,
      )
      expect(exitCode).toBe(1)
      const hasty = await ground.soxplan(['doctor', '--timeout', '1'])
      expect(section(hasty.stdout, 'Slurm')).toContain(
        `  ?   Slurm gave no answer within 1 s (SX701)
      → Try again when \`scontrol ping\` says UP; --timeout SECONDS waits longer.`,
      )
    } finally {
      ground.lab.ctld.thaw()
    }
  })
})
