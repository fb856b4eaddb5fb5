/** `npm run lab`, without what it installs: the plan that it makes works as it says, and Ctrl-C leaves nothing. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { labAvailable, s3Available, sshAvailable } from './lab/available.ts'
import { waitUntil } from './lab/command.ts'
import { processesOf } from './lab/processes.ts'
import { compareTrees } from './rig/compare.ts'
import { PROJECT } from './rig/project.ts'
import { runSoxplan } from './rig/soxplan.ts'

const OPEN_MILLIS = 120_000

describe.skipIf(!labAvailable() || !sshAvailable() || !s3Available())('an open lab', () => {
  test(
    'has a plan over disk, SSH and S3 that can be looked at, carried out and forgotten',
    { timeout: 300_000 },
    async () => {
      const lab = spawn(process.execPath, ['--import', 'tsx', 'test/lab/open.ts'], {
        cwd: PROJECT,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(lab, 'close')
      let said = ''
      lab.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
      try {
        const isOpen = (): boolean => {
          if (lab.exitCode !== null) throw new Error(`it ended: ${said}`)
          return said.includes('Ctrl-C here ends all of it')
        }
        await waitUntil('the lab is open', isOpen, OPEN_MILLIS, () => Promise.resolve(said))
        const [, conf = ''] = /export SLURM_CONF=(\S+)/.exec(said) ?? []
        const [, plan = ''] = /PLAN=(\S+)/.exec(said) ?? []
        const folder = dirname(plan)
        const options = { cwd: folder, env: { ...process.env, SLURM_CONF: conf } }
        const doctor = await runSoxplan(['doctor', plan, '--nodes'], options)
        expect(doctor.stdout).toMatch(/, 0 errors\n$/)
        expect(doctor.stdout).toContain(
          'endpoint old: the private key, endpoint old: known_hosts, endpoint old',
        )
        expect(doctor.exitCode).toBe(0)
        const apply = await runSoxplan(['apply', plan, '--yes'], options)
        expect(apply).toMatchObject({ exitCode: 0 })
        for (const copy of ['on-disk', 'from-server'])
          expect(await compareTrees(`${folder}/dataset`, `${folder}/${copy}`)).toEqual([])
        lab.kill('SIGINT')
        expect((await ended)[0]).toBe(0)
        expect(said).toMatch(/The lab is closed\.\n$/)
        await expect(access(folder)).rejects.toThrow('ENOENT')
        expect(await processesOf(dirname(conf))).toEqual([])
      } finally {
        lab.kill('SIGTERM')
        await ended
      }
    },
  )
})
