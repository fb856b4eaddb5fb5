/** `soxplan doctor --nodes` on a real Slurm: what is found on each node, and that nothing stays behind. */

import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { Ground, Running } from '../apply-slurm/ground.ts'
import { groundsOfLab, noLab } from '../apply-slurm/ground.ts'
import { freePorts } from '../lab/ports.ts'
import { tempFolder } from '../rig/folder.ts'
import { PROJECT } from '../rig/project.ts'
import { puppet } from '../rig/puppet.ts'
import { doctor, machine, section } from './machine.ts'

test('a machine without Slurm has no nodes to ask', async () => {
  await using temp = await tempFolder()
  const { stdout } = await doctor(temp.path, await machine(temp.path, {}), '--nodes')
  expect(section(stdout, 'Slurm')).toBe(
    `  ok  no Slurm here: plans run on this machine
  ?   there are no nodes to ask: no Slurm is here (SX712)
      → Leave out --nodes, or ask where \`sinfo\` shows nodes.`,
  )
})

describe.skipIf(noLab('doctor --nodes'))('nodes', () => {
  // A frozen controller is noticed after MessageTimeout.
  const groundOf = groundsOfLab({ settings: { MessageTimeout: '3' } })
  const RSYNC = 'PATH=${PATH#*:} exec rsync "$@"'

  async function made(name: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Ground> {
    const ground = groundOf(name)
    await ground.tree('src', { a: 'a' })
    await ground.plan({ slurm: { time: '10:00' }, ...fields, transfers: { data: { tool: 'rsync' } } })
    return ground
  }

  async function expectNothingLeft(ground: Ground): Promise<void> {
    // A job that has given its answer is in the queue until slurmctld has heard of its end.
    await ground.lab.until('the queue is empty', async () => (await ground.queue()).length === 0)
    expect(
      (await readdir(ground.folder)).filter((name) => !['bin', 'src', 'plan.yaml'].includes(name)),
    ).toEqual([])
  }

  /** Doctor while its only job waits behind another one that fills the node. */
  async function waitingFor(
    name: string,
  ): Promise<{ readonly ground: Ground; readonly full: string; readonly running: Running }> {
    const ground = await made(name, { slurm: { time: '10:00', exclude: 'n[2-4]' } })
    const full = await fill(ground, 'n1')
    await ground.lab.untilJob(full, ['RUNNING'])
    const running = ground.begin(['doctor', 'plan.yaml', '--nodes'])
    const waits = async (): Promise<boolean> =>
      (await ground.queue()).some((row) => /^soxplan-doctor-\w+-n1 PENDING$/.test(row))
    await ground.lab.until('its job waits', waits)
    return { ground, full, running }
  }

  /** Fills a node, so that no other job starts there. */
  function fill(ground: Ground, node: 'n1' | 'n2'): Promise<string> {
    return ground.lab.sbatch(`--nodelist=${node}`, '--exclusive', '--job-name=full', '--wrap=exec sleep 600')
  }

  test('each is asked, and nothing stays behind', async () => {
    const ground = await made('all')
    const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml', '--nodes'])
    for (const node of ['n1', 'n2', 'n3', 'n4'])
      expect(section(stdout, `Node ${node}`)).toBe(
        `  ok  bash, rsync, run folder, source ${ground.in('src')}, destination ${ground.in('data')}`,
      )
    expect(stdout).toMatch(/, 0 warnings, 0 errors\n$/)
    expect(exitCode).toBe(0)
    await expectNothingLeft(ground)
  })

  test('what a killed doctor left is removed by a later one, and what another one may still use is not', async () => {
    const ground = await made('swept', { slurm: { time: '10:00', exclude: 'n[2-4]' } })
    const [left, used] = ['.doctor-aaaaaa', '.doctor-bbbbbb'].map((name) => ground.in('.soxplan', name))
    for (const folder of [left, used]) {
      await mkdir(folder ?? '', { recursive: true })
      await writeFile(join(folder ?? '', 'n1.answer'), 'half an answer')
    }
    const before = new Date(Date.now() - 25 * 3600 * 1000)
    await utimes(left ?? '', before, before)
    expect(await ground.soxplan(['doctor', 'plan.yaml', '--nodes'])).toMatchObject({ exitCode: 0 })
    expect(await readdir(ground.in('.soxplan'))).toEqual(['.doctor-bbbbbb'])
  })

  test('without a plan those of the default partition are asked; in JSON each question has a record', async () => {
    const ground = groundOf('bare')
    await ground.tree('src', { a: 'a' })
    const { stdout, exitCode } = await ground.soxplan(['doctor', '--nodes', '--json'])
    const lines = stdout.trimEnd().split('\n')
    const records = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    const text = await readFile(join(PROJECT, 'schemas', 'doctor.schema.json'), 'utf8')
    const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(JSON.parse(text) as object)
    for (const record of records) expect([validate(record), validate.errors]).toEqual([true, null])
    const asked = records.filter(({ topic }) => topic === 'node')
    expect(
      asked
        .map(({ node, subject, verdict }) => `${String(node)} ${String(subject)} ${String(verdict)}`)
        .sort(),
    ).toEqual(['n1', 'n2', 'n3', 'n4'].flatMap((node) => [`${node} bash ok`, `${node} run folder ok`]))
    expect(asked).toContainEqual({
      record: 'finding',
      topic: 'node',
      subject: 'run folder',
      node: 'n2',
      verdict: 'ok',
      what: `${ground.in('.soxplan')}: files can be made there, exclusively, and linked`,
    })
    expect(exitCode).toBe(0)
    await expectNothingLeft(ground)
  })

  test.each([['odd "%N\' $(touch X) #'], ['-back\\slash %j'], ['two\nlines']])(
    'a state folder may have any name: %j',
    async (name) => {
      const ground = await made(`state-${name.length}`, { slurm: { time: '10:00', exclude: 'n[2-4]' } })
      await mkdir(ground.in(name))
      const args = ['doctor', 'plan.yaml', '--nodes', `--state=${ground.in(name, 'deep', 'state')}`]
      const { stdout, exitCode } = await ground.soxplan(args)
      expect(stdout.split('\n\n').filter((part) => part.startsWith('Node '))).toEqual([
        `Node n1\n  ok  bash, rsync, run folder, source ${ground.in('src')}, destination ${ground.in('data')}`,
      ])
      expect(exitCode).toBe(0)
      expect(await readdir(ground.in(name))).toEqual([])
    },
  )

  test('nodes without the features of the plan are not asked', async () => {
    const ground = await made('features', { slurm: { time: '10:00', constraint: 'fast&large' } })
    await ground.lab.scontrol('update', 'NodeName=n1', 'AvailableFeatures=fast')
    await ground.lab.scontrol('update', 'NodeName=n2', 'AvailableFeatures=large,fast')
    const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml', '--nodes'])
    expect(stdout.match(/^Node .*$/gm)).toEqual(['Node n2'])
    expect(exitCode).toBe(0)
  })

  test('a node that is full or drained is unknown, and its job is taken back', async () => {
    const ground = await made('busy', { slurm: { time: '10:00', exclude: 'n3,n4' } })
    const full = await fill(ground, 'n1')
    await ground.lab.untilJob(full, ['RUNNING'])
    await ground.lab.drain('n2')
    try {
      const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml', '--nodes', '--wait', '5'])
      expect(section(stdout, 'Node n1')).toMatch(
        /^ {2}\? {3}n1 was not asked: its job did not start within 5 s \(\w+\) \(SX712\)\n {6}→ `squeue --nodelist=n1` shows what it does; --wait SECONDS waits longer.$/,
      )
      expect(section(stdout, 'Node n2')).toBe(
        `  ?   n2 was not asked: it is drained (SX712)
      → \`scontrol show node n2\` gives the reason; ask again when it is back.`,
      )
      expect(stdout).toMatch(/, 0 errors, 2 unknown\n$/)
      expect(exitCode).toBe(0)
      expect(await ground.queue()).toEqual(['full RUNNING'])
    } finally {
      await ground.lab.resume('n2')
      await ground.lab.scancel(full)
    }
    await ground.lab.untilJob(full, ['CANCELLED'])
  })

  test('Ctrl-C takes every job back', async () => {
    const { ground, full, running } = await waitingFor('interrupted')
    ground.interrupt(running)
    expect(await running.ended).toBe(130)
    await ground.lab.scancel(full)
    await ground.lab.untilJob(full, ['CANCELLED'])
    await expectNothingLeft(ground)
  })

  test('jobs that may be left, because the controller is silent, are told by name', async () => {
    const { ground, full, running } = await waitingFor('silent')
    ground.lab.ctld.freeze()
    ground.interrupt(running)
    expect(await running.ended).toBe(130)
    ground.lab.ctld.thaw()
    const rows = await ground.queue()
    const [, round = ''] = /^(soxplan-doctor-\w+-)n1 /m.exec(rows.join('\n')) ?? []
    expect(running.output()).toContain(
      `  !   jobs of doctor may be left in the queue, with names that begin with ${round} (SX501)
      The Slurm controller does not say whether jobs of this run are left.
      → Look for them with \`squeue --me\` when \`scontrol ping\` says UP, and end them with \`scancel\`.
`,
    )
    await ground.lab.scancel(`--name=${round}n1`)
    await ground.lab.scancel(full)
    await ground.lab.until('the queue is empty', async () => (await ground.queue()).length === 0)
  })

  test('what is there here and not on a node is told, and so is a state folder that a node does not see', async () => {
    const ground = await made('unseen', { slurm: { time: '10:00', exclude: 'n[3-4]' } })
    await mkdir(ground.in('data'))
    const fulls = [await fill(ground, 'n1'), await fill(ground, 'n2')]
    for (const full of fulls) await ground.lab.untilJob(full, ['RUNNING'])
    const running = ground.begin(['doctor', 'plan.yaml', '--nodes'])
    const waits = async (): Promise<boolean> =>
      (await ground.queue()).filter((row) => row.startsWith('soxplan-doctor-')).length === 2
    await ground.lab.until('its jobs wait', waits)
    await rename(ground.in('src'), ground.in('bin'))
    await rm(ground.in('data'), { recursive: true })
    await ground.lab.scancel(fulls[0] ?? '')
    await ground.lab.until('n1 has answered', () => running.output().includes('Node n1'))
    await rename(ground.in('.soxplan'), ground.in('away'))
    await ground.lab.scancel(fulls[1] ?? '')
    expect(await running.ended).toBe(1)
    expect(section(running.output(), 'Node n1')).toBe(
      `  ok  bash, rsync, run folder
  x   source ${ground.in('src')} is not there on n1 (SX714)
      On this machine it can be read.
      → Keep it on a file system that all nodes see, or leave the node out with \`slurm: exclude\`.
  x   destination ${ground.in('data')} is not there on n1 (SX714)
      ${ground.in('data')} is there on this machine, and not on n1: its files would land on a disk of the node.
      → Mount its file system there, or leave the node out with \`slurm: exclude\`.`,
    )
    expect(section(running.output(), 'Node n2')).toBe(
      `  x   the job on n2 ended without an answer in the state folder ${ground.in('.soxplan')} (SX713)
      → See that n2 has the file system of the state folder, or name another folder with --state DIR.`,
    )
    expect(await ground.queue()).toEqual([])
  })

  test('a tool that is older or missing on a node is told, after the lines of the plan', async () => {
    const ground = await made('tools', {
      slurm: { time: '10:00', exclude: 'n[3-4]' },
      tools: { rsync: { setup: ['echo path /nowhere', 'export VERSION=3.1.0'] } },
    })
    const odd = 'n1) echo "rsync  version $VERSION  protocol version 31"; exit;; n2) exit 1;;'
    const script = `case \${SLURMD_NODENAME:-} in ${odd} esac\n${RSYNC}`
    const env = await puppet(ground.in('bin'), 'rsync', script, ground.env)
    const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml', '--nodes'], env)
    expect(section(stdout, 'Node n1')).toMatch(
      /^ {2}ok {2}bash, run folder, .*\n {2}! {3}rsync 3\.1\.0 of n1 is older than \S+ of this machine \(SX715\)\n {6}A worker stops where its tool lacks what the plan was made with\.\n {6}→ Install the same version everywhere, or name one that all nodes see under `tools: rsync`\.$/,
    )
    expect(section(stdout, 'Node n2')).toContain('  x   rsync is not installed here (SX401)\n')
    expect(exitCode).toBe(1)
    await expectNothingLeft(ground)
  })

  test('what hangs on a node is unknown, and what can be asked is asked', async () => {
    const ground = await made('hung', { slurm: { time: '10:00', exclude: 'n[2-4]' } })
    const script = `[[ -z \${SLURM_JOB_ID:-} ]] || exec sleep 600; ${RSYNC}`
    const env = await puppet(ground.in('bin'), 'rsync', script, ground.env)
    const args = ['doctor', 'plan.yaml', '--nodes']
    const one = await ground.soxplan([...args, '--timeout', '10'], env)
    expect(section(one.stdout, 'Node n1')).toBe(
      `  ok  bash, run folder, source ${ground.in('src')}, destination ${ground.in('data')}
  ?   rsync gave no answer within 10 s (SX701)
      → Run \`rsync --version\` there, and mend what it waits for.`,
    )
    const all = await ground.soxplan([...args, '--wait', '6'], env)
    expect(section(all.stdout, 'Node n1')).toBe(
      `  ok  bash
  ?   n1 has not answered all within 6 s: its job still runs (SX712)
      → Something hangs on that node: look at its file systems.`,
    )
    await expectNothingLeft(ground)
  })

  test('servers that a node can not reach, and keys that it sees, are told', async () => {
    const ground = groundOf('servers')
    await ground.tree('src', { a: 'a' })
    const [port = 0] = await freePorts(1)
    const credentials = ground.in('credentials')
    const keys = '[default]\naws_access_key_id = A\naws_secret_access_key = S\n'
    await writeFile(credentials, keys, { mode: 0o600 })
    await ground.plan({
      slurm: { time: '10:00', exclude: 'n[2-4]' },
      endpoints: { store: { type: 's3', bucket: 'data', endpoint: `http://127.0.0.1:${port}`, credentials } },
      transfers: { data: {} },
    } as Parameters<typeof ground.plan>[0])
    const text = await readFile(ground.in('plan.yaml'), 'utf8')
    await writeFile(ground.in('plan.yaml'), text.replace(JSON.stringify(ground.in('data')), '"store:data"'))
    const { stdout, exitCode } = await ground.soxplan(['doctor', 'plan.yaml', '--nodes'])
    expect(section(stdout, 'Node n1')).toBe(
      `  ok  bash, rclone, run folder, source ${ground.in('src')}, endpoint store: the credentials file
  x   endpoint store: 127.0.0.1:${port} can not be reached from n1: Connection refused (SX237)
      → Let the nodes connect to 127.0.0.1:${port}, write \`where: login\` at the transfer, or leave the node out with \`slurm: exclude\`.`,
    )
    expect(exitCode).toBe(1)
  })

  test('what Slurm refuses is quoted', async () => {
    const ground = await made('refused', { slurm: { time: '10:00', exclude: 'n[2-4]', reservation: 'none' } })
    const { stdout } = await ground.soxplan(['doctor', 'plan.yaml', '--nodes'])
    expect(section(stdout, 'Node n1')).toContain(
      '  ?   Slurm does not know this constraint, licence, gres or reservation (SX516)\n      sbatch said: sbatch: error: Batch job submission failed: Requested reservation is invalid\n',
    )
    await expectNothingLeft(ground)
  })
})
