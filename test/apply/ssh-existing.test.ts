import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshAvailable } from '../lab/available.ts'
import { startSshServer, type SshServer } from '../lab/ssh.ts'
import { writeTree, type TreeEntry } from '../rig/tree.ts'
import { openOverSsh } from './ssh-case.ts'
import { TOOLS, type Case } from './case.ts'

const OLD = 1_600_000_000
const NEW = 1_700_000_000
const NAMES = ['newer there', 'older there', 'absent', 'extra'] as const

async function differing(at: Case): Promise<void> {
  const file = (path: string, content: string, mtime: number): TreeEntry =>
    ({ kind: 'file', path, content, mtime }) as const
  await writeTree(at.from, [
    file(NAMES[0], 'from', OLD),
    file(NAMES[1], 'from', NEW),
    file(NAMES[2], 'from', OLD),
  ])
  await writeTree(at.to, [
    file(NAMES[0], 'there!', NEW),
    file(NAMES[1], 'there!', OLD),
    file(NAMES[3], 'extra', OLD),
  ])
}

describe.skipIf(!sshAvailable())('existing: on a server', { timeout: 240_000 }, () => {
  let server: SshServer

  beforeAll(async () => {
    server = await startSshServer()
  })
  afterAll(async () => {
    await server.close()
  })

  const cases = [
    ['update', ['from', 'from', 'from', 'extra'], 0, '  ~ changed  2 files (8 B)\n'],
    [
      'keep',
      ['there!', 'there!', 'from', 'extra'],
      0,
      'already there and different; the plan says existing: keep\n',
    ],
    ['keep-newer', ['there!', 'from', 'from', 'extra'], 0, 'the plan says existing: keep-newer\n'],
    ['error', ['there!', 'there!', 'from', 'extra'], 1, 'refused, because already there and different'],
  ] as const

  test.each(TOOLS.flatMap((tool) => cases.map((one) => [tool, ...one] as const)))(
    'with %s: %s',
    async (tool, existing, contents, code, told) => {
      await using at = await openOverSsh(server, { way: 'push', transfer: { tool, existing } })
      await differing(at)
      const { exitCode, stdout } = await at.apply()
      expect(stdout).toContain(told)
      expect(exitCode).toBe(code)
      const found = NAMES.map((name) => readFile(join(at.to, name), 'utf8').catch(() => '-'))
      expect(await Promise.all(found)).toEqual(contents)
    },
  )
})
