/** `soxplan doctor`, as typed: tools, this machine, the run folder, and the two forms of its output. */

import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { NODE_FLOOR } from '../src/edge/doctor-here.ts'
import { realProgram, startSoxplan, writePlan } from './apply/case.ts'
import { doctor, machine, section } from './doctor/machine.ts'
import { tempFolder } from './rig/folder.ts'
import { PROJECT } from './rig/project.ts'
import { plainEnvironment, runSoxplan } from './rig/soxplan.ts'

const NEW_RCLONE = 'echo "rclone v1.75.2"'
const NEW_RSYNC = 'echo "rsync  version 3.4.1  protocol version 32"'

describe('tools', () => {
  test('without a plan all are looked for, and none is missed', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: NEW_RCLONE, rsync: NEW_RSYNC })
    const { stdout, stderr, exitCode } = await doctor(temp.path, env)
    expect(section(stdout, 'Tools')).toBe(
      `  ok  rclone v1.75.2, ${temp.path}/bin/rclone
  ok  rsync 3.4.1, ${temp.path}/bin/rsync
  !   aws is not installed here (SX401)
      → Install it (\`apt install awscli\`, \`module load aws\`), or name it in the plan: tools: { aws: { path: … } }.
  !   there is no ssh on PATH (SX227)
      → Install it (\`apt install openssh-client\`).`,
    )
    expect(stdout).toMatch(/\n\n\d+ ok, 2 warnings, 0 errors\n$/)
    expect([stderr, exitCode]).toEqual(['', 0])
  })

  test('an old version is told what it lacks', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: 'echo "rclone v1.60.1-DEV"', rsync: NEW_RSYNC })
    const { stdout } = await doctor(temp.path, env)
    expect(section(stdout, 'Tools')).toContain(
      '  !   rclone v1.60.1-DEV does not know multi-thread-chunk-size (1.64), multi-thread-write-buffer-size (1.63), max-buffer-memory (1.70), max-connections (1.70) (SX404)\n',
    )
    expect(section(stdout, 'Tools')).toContain('      → Install rclone 1.70 or newer to have them.\n')
    expect(section(stdout, 'Tools')).toContain('(SX407)\n')
  })

  test('with a plan only what it needs is asked for: one of two is enough, the one that it names is not to be missed', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: NEW_RCLONE })
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    await mkdir(from)
    await writePlan(temp.path, { transfers: { data: { from, to } } })
    const either = await doctor(temp.path, env, 'plan.yaml')
    expect(section(either.stdout, 'Tools')).toMatch(
      /^ {2}! {3}rsync is not installed here \(SX401\)\n.*\n {2}ok {2}rclone v1.75.2/,
    )
    expect(either.exitCode).toBe(0)
    await writePlan(temp.path, { transfers: { data: { from, to, tool: 'rsync' } } })
    const named = await doctor(temp.path, env, 'plan.yaml')
    expect(section(named.stdout, 'Tools')).toMatch(/^ {2}x {3}rsync is not installed here \(SX401\)\n.*$/)
    expect(named.exitCode).toBe(1)
  })

  test('too old for anything, or gone altogether, is red for a plan', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: 'echo "rclone v1.49.0"' })
    await mkdir(join(temp.path, 'from'))
    await writePlan(temp.path, {
      transfers: { data: { from: join(temp.path, 'from'), to: join(temp.path, 'to') } },
    })
    const { stdout, exitCode } = await doctor(temp.path, env, 'plan.yaml')
    expect(section(stdout, 'Tools')).toContain(
      '  x   rclone v1.49.0 is too old: 1.52 or newer is needed (SX403)',
    )
    expect(section(stdout, 'Tools')).toContain('  x   rsync is not installed here (SX401)')
    expect(exitCode).toBe(1)
  })

  test('an option of the plan that the version lacks is a warning', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: 'echo "rclone v1.63.0"' })
    await mkdir(join(temp.path, 'from'))
    const options = { rclone: { 'max-connections': 4 } }
    await writePlan(temp.path, {
      transfers: {
        data: { from: join(temp.path, 'from'), to: join(temp.path, 'to'), tool: 'rclone', options },
      },
    })
    const { stdout } = await doctor(temp.path, env, 'plan.yaml')
    expect(section(stdout, 'Tools')).toContain(
      '  !   transfer data: rclone v1.63.0 does not know max-connections, so it is left out (SX404)',
    )
  })

  test('one that hangs, with a child that holds on to its output, is unknown after a while', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: 'sleep 1000; echo never', rsync: NEW_RSYNC })
    const { stdout, exitCode } = await doctor(temp.path, env, '--timeout', '5')
    expect(section(stdout, 'Tools')).toContain(
      `  ?   rclone gave no answer within 5 s (SX701)
      → Run \`rclone version\` by hand, and mend what it waits for.
  ok  rsync 3.4.1`,
    )
    expect(stdout).toMatch(/, 1 unknown\n$/)
    expect(exitCode).toBe(0)
  })
})

describe('this machine', () => {
  test('the floor of node is that of the package', async () => {
    const text = await readFile(join(PROJECT, 'package.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ engines: { node: `>=${NODE_FLOOR.major}.${NODE_FLOOR.minor}` } })
  })

  test('programs that the worker scripts call are named where they are missing', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rsync: NEW_RSYNC })
    const bare = { ...env, PATH: `${temp.path}/bin:${temp.path}/few` }
    await mkdir(join(temp.path, 'few'))
    for (const name of ['bash', 'env', 'head', 'dirname', 'mktemp', 'rm', 'ln', 'find'])
      await symlink(await realProgram(name), join(temp.path, 'few', name))
    const { stdout, exitCode } = await doctor(temp.path, bare)
    expect(section(stdout, 'This machine')).toContain(
      '  x   these programs are missing on this machine: awk cat chmod cp date df grep gzip mkdir mv sed sort stat tail timeout touch tr (SX703)',
    )
    expect(exitCode).toBe(1)
  })
})

describe('the run folder', () => {
  test('is tried with an exclusive create and a hard link, and nothing of it stays', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rsync: NEW_RSYNC })
    const { stdout } = await doctor(temp.path, env)
    expect(section(stdout, 'Run folder')).toBe(
      `  ok  ${temp.path}/.soxplan: files can be made there, exclusively, and linked`,
    )
    expect((await readdir(temp.path)).sort()).toEqual(['bin', 'system'])
  })

  test('without hard links is no place for runs', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, {
      rsync: NEW_RSYNC,
      ln: 'echo "ln: failed: Operation not permitted" >&2; exit 1',
    })
    const { stdout, exitCode } = await doctor(temp.path, env)
    expect(section(stdout, 'Run folder')).toContain(
      `  x   ${temp.path}/.soxplan lies on a file system without hard links (SX704)`,
    )
    expect(exitCode).toBe(1)
  })

  test('that may not be written is said so', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, {
      rsync: NEW_RSYNC,
      setpriv: 'PATH=/usr/bin:/bin exec setpriv "$@"',
    })
    await mkdir(join(temp.path, 'closed'))
    await chmod(join(temp.path, 'closed'), 0o555)
    await chmod(temp.path, 0o755)
    const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {}
    const args = ['doctor', '--state', 'closed/state']
    const { stdout, exitCode } = await startSoxplan(args, { cwd: temp.path, env, ...nobody }).ended
    expect(section(stdout, 'Run folder')).toContain(
      `  x   The state folder ${temp.path}/closed/state can not be written: Permission denied (SX602)`,
    )
    expect(exitCode).toBe(1)
  })

  test('behind a file can not be made', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rsync: NEW_RSYNC })
    const { stdout, exitCode } = await doctor(temp.path, env, '--state', 'bin/rsync/state')
    expect(stdout).toContain(
      `The state folder ${temp.path}/bin/rsync/state can not be written: Not a directory (SX602)`,
    )
    expect(exitCode).toBe(1)
  })
})

test('the questions are clean for shellcheck', async () => {
  const file = join(PROJECT, 'src', 'script', 'probe.sh')
  expect((await promisify(execFile)('shellcheck', ['-s', 'bash', file])).stdout).toBe('')
})

describe('output', () => {
  test('JSON Lines are as the schema says', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rclone: 'echo "rclone v1.60.1-DEV"' })
    const { stdout, stderr, exitCode } = await doctor(temp.path, env, '--json')
    expect([stderr, exitCode]).toEqual(['', 0])
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    const schema = JSON.parse(
      await readFile(join(PROJECT, 'schemas', 'doctor.schema.json'), 'utf8'),
    ) as object
    const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(schema)
    for (const record of records)
      expect([validate(record), validate.errors, record]).toEqual([true, null, record])
    expect(records[0]).toMatchObject({ record: 'doctor', version: 1 })
    expect(records.at(-1)).toMatchObject({ record: 'summary', errors: 0 })
    expect(records).toContainEqual({
      record: 'finding',
      topic: 'tools',
      subject: 'rsync',
      verdict: 'warning',
      code: 'SX401',
      what: 'rsync is not installed here',
      todo: expect.stringContaining('Install it') as string,
    })
  })

  test('is coloured on a terminal only, and never against NO_COLOR', async () => {
    await using temp = await tempFolder()
    const env = await machine(temp.path, { rsync: NEW_RSYNC })
    const tty = { columns: 80 }
    const path = { ...env, PATH: `${env['PATH'] ?? ''}:${process.env['PATH'] ?? ''}`, TERM: 'xterm' }
    const coloured = await runSoxplan(['doctor'], { cwd: temp.path, env: path, tty })
    expect(coloured.stdout).toContain('\u001b[32mok\u001b[0m  bash')
    const plain = await runSoxplan(['doctor'], { cwd: temp.path, env: { ...path, NO_COLOR: '1' }, tty })
    expect(plain.stdout).not.toContain('\u001b[3')
    expect((await doctor(temp.path, path)).stdout).not.toContain('\u001b[')
  })

  test('a plan that is wrong ends it', async () => {
    await using temp = await tempFolder()
    await writePlan(temp.path, { transfers: { data: { from: 'there', to: '/tmp/to' } } })
    const { stdout, stderr, exitCode } = await doctor(temp.path, plainEnvironment(), 'plan.yaml')
    expect([stdout, exitCode]).toEqual(['', 2])
    expect(stderr).toContain('error SX121')
  })
})
