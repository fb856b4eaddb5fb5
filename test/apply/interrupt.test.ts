import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../rig/compare.ts'
import { puppet } from '../rig/puppet.ts'
import { runSoxplan, SOXPLAN } from '../rig/soxplan.ts'
import { writeTree } from '../rig/tree.ts'
import {
  compareFinished,
  isThere,
  openCase,
  processesOf,
  realProgram,
  until,
  withVariables,
  type Case,
} from './case.ts'

async function source(at: Case): Promise<void> {
  const files = Array.from(
    { length: 200 },
    (_, index) => [`d${index % 5}/f${index}`, 'x'.repeat(2000)] as const,
  )
  await writeTree(at.from, Object.fromEntries(files))
}

/** A program that says that it was called and then waits to be ended. */
async function stuck(at: Case, name: string): Promise<NodeJS.ProcessEnv> {
  const real = await realProgram(name)
  const script = `
    case "$1" in version | --version) exec ${real} "$@" ;; esac
    [[ ! -e ${at.path}/called ]] || exec ${real} "$@"
    touch ${at.path}/called
    sleep 1000`
  return puppet(join(at.path, 'bin'), name, script, withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' }))
}

describe('Ctrl-C', () => {
  // What each program is busy with: find the listing, rsync the copy, b2sum the proof.
  test.each(['find', 'rsync', 'b2sum'])('while %s runs and does not end by itself', async (program) => {
    await using at = await openCase({ tool: 'rsync', verify: 'checksum' })
    await source(at)
    const env = await stuck(at, program)
    const first = at.start([], { env })
    await until(() => isThere(join(at.path, 'called')))
    first.child.kill('SIGINT')
    const { exitCode, stderr } = await first.ended
    expect(exitCode).toBe(130)
    expect(stderr).toContain(' Press Ctrl-C again to leave at once.\n')
    expect(stderr).not.toContain('SX000')
    await until(async () => (await processesOf(at.path)).length === 0)
    expect((await readdir(join(at.state, 'runs'))).filter((name) => name.startsWith('.'))).toEqual([])
    expect((await at.apply([], { env })).exitCode).toBe(0)
    expect(await compareFinished(at)).toEqual([])
  })

  test('at any moment: nothing is left running, and the next apply finishes', async () => {
    await using at = await openCase({ tool: 'rsync' })
    await source(at)
    const env = withVariables({ SOXPLAN_SHARD_SECONDS: '0.001' })
    for (const millis of [50, 150, 300, 450, 600, 750, 900, 1100, 1400, 1800]) {
      const some = at.start([], { env })
      await new Promise((resolve) => setTimeout(resolve, millis))
      some.child.kill('SIGINT')
      const { exitCode, stderr } = await some.ended
      expect([0, 130]).toContain(exitCode)
      expect(stderr).not.toContain('SX000')
      await until(async () => (await processesOf(at.path)).length === 0)
    }
    expect((await at.apply([], { env })).exitCode).toBe(0)
    expect(await compareFinished(at)).toEqual([])
  })
})

/** Types `answer` when the question stands on the terminal. */
async function asking(at: Case, answer: string): Promise<{ exitCode: number; screen: string }> {
  const [program, file] = SOXPLAN
  const command = `exec '${program}' '${file}' apply plan.yaml --executor local`
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: at.path,
    env: withVariables({ TERM: 'xterm' }),
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!screen.includes(QUESTION) && (screen + text).includes(QUESTION)) child.stdin.write(answer)
    screen += text
  })
  const [code] = (await once(child, 'close')) as [number]
  return { exitCode: code, screen }
}

const QUESTION = 'Type yes to do exactly this: '

describe('the question', () => {
  test.each([
    ['y\n', 2],
    ['Yes\n', 2],
    [' yes\n', 2],
    ['\u0004', 2],
    ['\u0003', 130],
  ])('%j moves nothing', async (answer, exitCode) => {
    await using at = await openCase()
    await writeTree(at.from, { a: 'a' })
    const asked = await asking(at, answer)
    expect(asked.screen).toContain('Nothing was moved.')
    expect(asked.exitCode).toBe(exitCode)
    expect(await isThere(join(at.to, 'a'))).toBe(false)
    expect(await readdir(join(at.state, 'runs'))).toEqual([])
  })

  test('an exact yes moves it', async () => {
    await using at = await openCase()
    await writeTree(at.from, { a: 'a' })
    const asked = await asking(at, 'yes\n')
    expect(asked.exitCode).toBe(0)
    expect(await compareTrees(at.from, at.to)).toEqual([])
  })

  test('without a terminal and without --yes nothing is even looked at', async () => {
    await using at = await openCase({ from: '/nowhere at all' })
    const { exitCode, stderr, stdout } = await runSoxplan(['apply', 'plan.yaml'], {
      cwd: at.path,
      stdin: 'yes\n',
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toBe(
      'error SX001: There is no terminal to ask on\n  Look at the preview with `soxplan plan`, then apply with --yes.\n',
    )
  })
})
