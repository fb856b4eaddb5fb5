/** The script that puts doctor's questions to a node. */

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readReply, renderDoctorJob, type NodeQuestion, type NodeReply } from '../../src/script/doctor-job.ts'
import { tempFolder } from '../rig/folder.ts'
import { PROJECT } from '../rig/project.ts'

const call = promisify(execFile)

async function ask(
  questions: readonly NodeQuestion[],
  probe: string,
  limitSeconds: number,
): Promise<{ readonly said: string; readonly reply: NodeReply }> {
  await using temp = await tempFolder()
  const script = join(temp.path, 'ask.sh')
  await writeFile(script, renderDoctorJob(questions, probe, limitSeconds))
  const env = { ...process.env, SLURMD_NODENAME: 'n7' }
  const said = (await call('bash', [script], { env })).stdout
  return { said, reply: readReply(said) }
}

test('it is clean for shellcheck', async () => {
  await using temp = await tempFolder()
  const probe = await readFile(join(PROJECT, 'src', 'script', 'probe.sh'), 'utf8')
  const script = join(temp.path, 'ask.sh')
  const setup = ['export TOOL=1']
  const questions = [
    { probe: 'programs', args: [] },
    { probe: 'folder', args: [`it's "a" \\ \n#`] },
    { probe: 'tool', args: ['rclone', 'version'], setup },
  ]
  await writeFile(script, renderDoctorJob(questions, probe, 30))
  expect((await call('shellcheck', ['-s', 'bash', script])).stdout).toBe('')
})

describe('answers', () => {
  test('any name reaches its question as it is, and can not be taken for an answer', async () => {
    const name = `'"$(touch X)\\ #\nask 1\nend`
    const { reply } = await ask(
      [
        { probe: 'echo', args: [name] },
        { probe: 'count', args: ['-n', ';', ''] },
      ],
      `probe_echo() { printf '%s\\n' "$1"; }\nprobe_count() { echo "$#"; }`,
      30,
    )
    expect(reply).toEqual({
      node: 'n7',
      answers: new Map([
        [0, `${name}\n`],
        [1, '3\nend\n'],
      ]),
      late: new Set(),
      isWhole: true,
    })
  })

  test('one that does not come is left, and the next is asked', async () => {
    const { said, reply } = await ask(
      [
        { probe: 'slow', args: [] },
        { probe: 'quick', args: [] },
      ],
      `probe_slow() { echo is file; exec sleep 3 >&2; }\nprobe_quick() { echo made 1; }`,
      1,
    )
    expect(said).toMatch(/^node n7\nask 0\n is file\nask 1\n made 1\nend\n$/)
    expect(reply.isWhole).toBe(true)
    const hung = await ask(
      [
        { probe: 'slow', args: [] },
        { probe: 'quick', args: [] },
      ],
      `probe_slow() { echo is file; exec sleep 3; }\nprobe_quick() { echo made 1; }`,
      1,
    )
    expect(hung.said).toBe('node n7\nask 0\n is file\nlate\nask 1\n made 1\nend\n')
    expect(hung.reply.late).toEqual(new Set([0]))
  })

  test("the plan's own lines come first, and what they print is no answer", async () => {
    const { said } = await ask(
      [{ probe: 'tool', args: ['x'], setup: ['echo path wrong', 'WANTED=set', 'nothing-like-this'] }],
      `probe_tool() { printf 'path %s\\n' "$1 $WANTED"; }`,
      30,
    )
    expect(said).toBe('node n7\nask 0\n path x set\nend\n')
  })

  test('half an answer is none yet', () => {
    expect(readReply('')).toEqual({ answers: new Map(), late: new Set(), isWhole: false })
    expect(readReply('ask 0\n made 1\nask 1\n is fi')).toEqual({
      answers: new Map([[0, 'made 1\n']]),
      late: new Set(),
      isWhole: false,
    })
  })
})
