import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { printable } from '../../src/inventory/printable.ts'

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

test.each([
  ['plain/name', 'plain/name'],
  [latin1('emoji 🚚/café'), 'emoji 🚚/café'],
  ['it\'s "quoted" \\', 'it\'s "quoted" \\'],
  ['new\nline', "$'new\\nline'"],
  ["tab\tand ' and \\", "$'tab\\tand \\' and \\\\'"],
  ['bell\x07\x1b[31m', "$'bell\\x07\\x1b[31m'"],
  ['latin\xe9', "$'latin\\xe9'"],
  [latin1('é') + '\xff', "$'é\\xff'"],
  [latin1('abc\u202edcba'), "$'abc\\u202edcba'"],
  [latin1('\u0085'), "$'\\u0085'"],
])('%j is shown as %s', (path, expected) => {
  expect(printable(path)).toBe(expected)
})

test('what is shown in $ form names the same bytes in a shell', () => {
  const path = fc.uint8Array({ min: 1, minLength: 1, maxLength: 30 })
  const shown = fc
    .sample(path, 200)
    .map((raw) => [Buffer.from(raw).toString('hex'), printable(Buffer.from(raw).toString('latin1'))] as const)
    .filter(([, text]) => text.startsWith("$'"))
  const script = shown.map(([, text]) => `printf %s ${text} | od -An -v -tx1 | tr -d ' \\n'; echo`).join('\n')
  const answers = execFileSync('bash', ['-c', script], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
    // Behind a socket, which Node's pipes are, bash takes itself for a remote shell and reads somebody's .bashrc.
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(answers.toString().trimEnd().split('\n')).toEqual(shown.map(([hex]) => hex))
})
