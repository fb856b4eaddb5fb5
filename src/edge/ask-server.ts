/** Asks a server over SSH what it can do, and what stands at a path. */

import { failWith, ok, type Result } from '../diagnostic.ts'
import type { SshLocation } from '../plan/plan.ts'
import { serverGreeting, serverQuestion } from '../script/server.ts'
import { sshCommand, sshPath } from '../tools/ssh.ts'
import { millis } from '../units.ts'
import { run } from './process.ts'
import { settleKey } from './ssh-key.ts'
import { sshFailure } from './ssh-trouble.ts'

export interface ServerContext {
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** What stands at a path of a server. */
export type ServerSort =
  | 'absent'
  | 'directory'
  | 'empty directory'
  | 'closed directory'
  | 'file'
  | 'closed file'
  | 'something else'
  | 'dangling link'

/** `sort` is absent where no commands run, or not those that are needed: then rclone has to ask. */
export interface ServerAnswer {
  readonly location: SshLocation
  readonly sort?: ServerSort
}

const QUESTION_TIMEOUT = millis(120_000)
/** ssh's own exit code, for whatever kept it from running the command. */
const SSH_FAILED = 255

/**
 * One question: is there a shell with bash and GNU find, which rsync, and what stands at the path. The location comes
 * back with what was found: `ssh`, or `sftp` where there is no such shell. Fails SX221–SX225 where ssh does not get
 * through, and SX226 where the login shell says something that nobody asked for.
 */
export async function askServer(context: ServerContext, asked: SshLocation): Promise<Result<ServerAnswer>> {
  const settled = await settleKey(asked, context.env)
  if (!settled.ok) return settled
  const location = settled.value
  const answer = await run([...sshCommand(location.server), serverQuestion(sshPath(location))], {
    timeoutMillis: QUESTION_TIMEOUT,
    env: context.env,
    stop: context.signal,
  })
  context.signal.throwIfAborted()
  if (!answer.ok) {
    const { kind, exitCode, stderr } = answer.error
    if (kind === 'missing')
      return failWith('SX227', 'there is no ssh on PATH', 'Install it (`apt install openssh-client`).')
    if (kind === 'timeout') return sshFailure(location, 'not responding: no answer in two minutes')
    if (exitCode === SSH_FAILED) return sshFailure(location, stderr)
  }
  return readAnswer(location, answer.ok ? answer.value.stdout : answer.error.stdout)
}

function readAnswer(location: SshLocation, stdout: string): Result<ServerAnswer> {
  const start = stdout.indexOf(`${serverGreeting}\n`)
  if (start < 0) return ok({ location: { ...location, kind: 'sftp' } })
  if (start > 0)
    return failWith(
      'SX226',
      `endpoint ${location.endpoint}: the login shell of ${location.server.host} prints text of its own`,
      'Let ~/.bashrc and the like there print nothing unless the shell is interactive: `[[ $- == *i* ]] || return`.',
      `It begins with: ${stdout.slice(0, start).trim().slice(0, 80)}`,
    )
  const lines = stdout.split('\n')
  const said = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? ''
  const hasTools = said('bash') !== '' && said('find').includes('GNU')
  if (!hasTools) return ok({ location: { ...location, kind: 'sftp' } })
  const rsync = /(\d+)\.(\d+)/.exec(said('rsync'))
  return ok({
    location: {
      ...location,
      kind: 'ssh',
      ...(rsync === null ? {} : { rsync: { major: Number(rsync[1]), minor: Number(rsync[2]) } }),
    },
    sort: said('is').replace(/^an? /, '') as ServerSort,
  })
}
