/** `soxplan validate`, as typed. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { MAX_PLAN_BYTES } from '../src/edge/plan-file.ts'
import { tempFolder } from './rig/folder.ts'
import { plainEnvironment, runSoxplan } from './rig/soxplan.ts'

const VALID = 'version: 1\ntransfers:\n  a: { from: /src/a, to: /dst/a }\n  b: { from: ~/b, to: /dst/b }\n'

/** Writes `content` as `name` into a new folder and validates it from there. */
async function validate(
  content: string | Uint8Array,
  { name = 'plan.yaml', args = [] as readonly string[], env = {} } = {},
): Promise<{ exitCode: number; stdout: string; stderr: string; folder: string }> {
  await using temp = await tempFolder()
  await writeFile(join(temp.path, name), content)
  const result = await runSoxplan(['validate', ...args, name], { cwd: temp.path, env: plainEnvironment(env) })
  return { ...result, folder: temp.path }
}

describe('a valid plan', () => {
  test('is said to be so on stdout, exit code 0', async () => {
    expect(await validate(VALID)).toMatchObject({
      exitCode: 0,
      stdout: 'plan.yaml is valid: 2 transfers.\n',
      stderr: '',
    })
  })

  test('may have warnings, on stderr', async () => {
    const plan = 'version: 1\ntransfers: { a: { from: /a, to: /b, verify: none } }\n'
    expect(await validate(plan)).toMatchObject({
      exitCode: 0,
      stdout: 'plan.yaml is valid: 1 transfer.\n',
      stderr: `warning SX153: With 'verify: none' the run ends as delivered, not as verified
  plan.yaml:2:45
  | transfers: { a: { from: /a, to: /b, verify: none } }
  |                                             ^^^^
  Write \`verify: auto\` for the strongest proof that both places allow at no great cost.

1 warning in plan.yaml.
`,
    })
  })

  test('takes variables and the environment', async () => {
    const plan =
      'version: 1\nvars: { n: 1 }\ntransfers: { a: { from: "/${env.WHERE}", to: /b, nodes: "${n}" } }\n'
    expect(await validate(plan, { args: ['--var', 'n=3'], env: { WHERE: 'here' } })).toMatchObject({
      exitCode: 0,
    })
    expect(await validate(plan, { args: ['--var', 'n=many'], env: { WHERE: 'here' } })).toMatchObject({
      exitCode: 2,
    })
  })

  test('may have a byte order mark and an odd name', async () => {
    const name = ' -a "b" \'c\' $(d)\n\u001b[31m.yaml'
    const { exitCode, stdout } = await validate(`\ufeff${VALID}`, { name })
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: ' -a "b" \'c\' $(d)\ufffd\ufffd[31m.yaml is valid: 2 transfers.\n',
    })
  })
})

test('a plan with mistakes: all of them and their count on stderr, nothing on stdout, exit code 2', async () => {
  const { exitCode, stdout, stderr } = await validate(
    'version: 1\nnods: 3\ntransfers: { a: { from: /a, to: /b, umask: 002, verify: none } }\n',
  )
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr.match(/SX\d+/g)).toEqual(['SX106', 'SX113', 'SX153'])
  expect(stderr).toMatch(/\n\n2 errors, 1 warning in plan\.yaml\.\n$/)
})

describe('a file that is no plan', () => {
  test('is not there', async () => {
    await using temp = await tempFolder()
    const { exitCode, stderr } = await runSoxplan(['validate', 'none.yaml'], { cwd: temp.path })
    expect(exitCode).toBe(2)
    expect(stderr).toBe(
      `error SX141: There is no plan file ${temp.path}/none.yaml\n  Check the name, or write a first plan: soxplan init\n`,
    )
  })

  test('is a folder, a pipe', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'folder'))
    execFileSync('mkfifo', [join(temp.path, 'pipe')])
    const folder = await runSoxplan(['validate', 'folder'], { cwd: temp.path })
    expect(folder).toMatchObject({
      exitCode: 2,
      stderr: `error SX142: The plan is a folder: ${temp.path}/folder\n  Name the plan file itself, such as plan.yaml.\n`,
    })
    const pipe = await runSoxplan(['validate', 'pipe'], { cwd: temp.path })
    expect(pipe).toMatchObject({
      exitCode: 2,
      stderr: `error SX142: The plan is not a regular file: ${temp.path}/pipe\n  Name the plan file itself, such as plan.yaml.\n`,
    })
  })

  test('is a loop of symbolic links', async () => {
    await using temp = await tempFolder()
    execFileSync('ln', ['-s', 'loop', join(temp.path, 'loop')])
    const { exitCode, stderr } = await runSoxplan(['validate', 'loop'], { cwd: temp.path })
    expect(exitCode).toBe(2)
    expect(stderr).toBe(
      `error SX143: The plan file cannot be read: ${temp.path}/loop\n  ELOOP: too many symbolic links encountered\n  Check who may read the file and the folders above it: namei -l FILE shows that.\n`,
    )
  })

  test('is too large', async () => {
    const { exitCode, stderr, folder } = await validate('#'.repeat(MAX_PLAN_BYTES + 1))
    expect(exitCode).toBe(2)
    expect(stderr).toBe(
      `error SX144: The plan is larger than 1 MiB: ${folder}/plan.yaml\n  Name folders or patterns instead of single files; soxplan lists what is in them.\n`,
    )
  })

  test('is not UTF-8', async () => {
    const { exitCode, stderr, folder } = await validate(Buffer.from('version: 1\nname: caf\xe9\n', 'latin1'))
    expect(exitCode).toBe(2)
    expect(stderr).toBe(
      `error SX145: The plan is not UTF-8 text: ${folder}/plan.yaml\n  The first byte that is not UTF-8 stands on line 2.\n  Save it as UTF-8; iconv converts it. A path that is no UTF-8 cannot be written in a plan: name the folder above it.\n`,
    )
  })

  test('is a program', async () => {
    const { exitCode, stderr } = await validate(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0]))
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error SX109: This is not a plan\n {2}plan\.yaml:1:1\n/)
  })
})
