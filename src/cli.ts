/** The program: arguments in, exit code out. The only reader of `process` and the only place where a bug is caught. */

import { readFileSync } from 'node:fs'

/** Answered before anything else is loaded: scripts ask it often. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null && 'version' in value ? String(value.version) : 'unknown'
}

const args = process.argv.slice(2)
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${version()}\n`)
} else {
  const { main } = await import('./commands/main.ts')
  process.exitCode = await main(args, version(), process)
}
