/** The private key that a server is reached with: it has to be there, and to work without anybody's help. */

import { access, constants } from 'node:fs/promises'
import path from 'node:path'
import { failWith, ok, type Result } from '../diagnostic.ts'
import type { SshLocation } from '../plan/plan.ts'
import { millis } from '../units.ts'
import { run } from './process.ts'

/** ssh's own order, newest kind first. */
const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const
const KEY_TIMEOUT = millis(30_000)

/**
 * The location with its key settled: that of the plan, or the first of the usual ones in the home folder. Fails SX223
 * where there is none to read, or none that ssh takes, and SX224 where it asks for a passphrase.
 */
export async function settleKey(
  location: SshLocation,
  env: Readonly<Record<string, string>>,
): Promise<Result<SshLocation>> {
  const { server, endpoint } = location
  const key = server.key ?? (await usualKey(env['HOME']))
  if (key === undefined)
    return failWith(
      'SX223',
      `endpoint ${endpoint}: there is no private key to log in to ${server.host} with`,
      `Make one with \`ssh-keygen -t ed25519\`, add its .pub file to the server's authorized_keys, and name it in the plan: \`key: PATH\`.`,
    )
  if (!(await isReadable(key)))
    return failWith(
      'SX223',
      `endpoint ${endpoint}: the private key ${key} can not be read`,
      'Correct `key` in the plan, or give yourself read access to the file.',
    )
  const opened = await run(['ssh-keygen', '-y', '-P', '', '-f', key], { timeoutMillis: KEY_TIMEOUT, env })
  if (!opened.ok && /passphrase/i.test(opened.error.stderr))
    return failWith(
      'SX224',
      `endpoint ${endpoint}: the private key ${key} asks for a passphrase`,
      `Make a key of its own for transfers, \`ssh-keygen -t ed25519 -N '' -f ~/.ssh/soxplan\`, or take the passphrase off: \`ssh-keygen -p -N '' -f ${key}\`.`,
      'A job has nobody to type it, and no agent.',
    )
  // The half that others may read is in the same folder, and has the same name but for its end.
  const isOpen =
    !key.endsWith('.pub') && !opened.ok && /unprotected|too open|bad permissions/i.test(opened.error.stderr)
  if (isOpen)
    return failWith(
      'SX223',
      `endpoint ${endpoint}: others may read the private key ${key}, so that ssh does not take it`,
      `Keep it to yourself: \`chmod 600 ${key}\`.`,
    )
  if (!opened.ok && opened.error.kind === 'exit')
    return failWith(
      'SX223',
      `endpoint ${endpoint}: ${key} is no private key`,
      'Name the private key itself in the plan: the file without .pub.',
    )
  return ok({ ...location, server: { ...server, key } })
}

async function usualKey(home: string | undefined): Promise<string | undefined> {
  if (home === undefined) return undefined
  for (const name of usualKeys) {
    const file = path.join(home, '.ssh', name)
    if (await isReadable(file)) return file
  }
  return undefined
}

async function isReadable(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}
