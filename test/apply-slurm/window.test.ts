/**
 * A submit limit, met by a window. Limits of users can not be set here (slurmdbd 22.05 on MariaDB 10.11 reads all of them as
 * 0), so sbatch stands behind a script that counts what is in the queue and refuses as Slurm does.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../lab/available.ts'
import { compareTrees } from '../rig/compare.ts'
import { groundsOfLab, noLab, type Ground } from './ground.ts'

const apply = ['apply', 'plan.yaml', '--yes']

/** Refuses arrays that would make more than `limit` tasks; `before` runs before the `call`th submission that is let in. */
async function limited(ground: Ground, limit: number, call = 0, before = ':'): Promise<NodeJS.ProcessEnv> {
  const shim = await ground.lab.shim('sbatch', {})
  const [sbatch = '', squeue = ''] = ['sbatch', 'squeue'].map((name) => findProgram(name))
  await writeFile(
    join(ground.lab.folder, 'shims', 'sbatch'),
    `#!/bin/bash
# A test that is over has another limit.
case "$PWD $*" in *'${ground.folder}'*) ;; *) exec ${sbatch} "$@" ;; esac
wanted=1
[[ " $*" =~ ' --array=0-'([0-9]+) ]] && wanted=$((BASH_REMATCH[1] + 1))
there=$(${squeue} --noheader --me --array | wc -l)
if ((there + wanted > ${limit})); then
  echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2
  echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)" >&2
  exit 1
fi
[[ $1 == --test-only ]] && exec ${sbatch} "$@"
sbatch() { ${sbatch} "$@"; }
echo >>'${ground.in('let-in')}'
if [[ $(wc -l <'${ground.in('let-in')}') == ${call} ]]; then
${before}
fi
sbatch "$@"
`,
  )
  return { ...ground.env, PATH: shim.env['PATH'] }
}

describe.skipIf(noLab('A submit limit'))('a submit limit', () => {
  const groundOf = groundsOfLab()

  async function made(name: string): Promise<Ground> {
    const ground = groundOf(name)
    await ground.tree('src')
    await ground.plan({ slurm: { cpus: 16, time: '0:30:00' }, transfers: { data: {} } })
    return ground
  }

  const kindsOf = async (ground: Ground): Promise<readonly string[]> =>
    (await ground.events()).map((event) => ('step' in event ? `${event.kind} ${event.step}` : event.kind))

  test('what fits is handed over and released, and the rest when there is room, by whoever follows', async () => {
    const ground = await made('stays')
    const { exitCode, stderr, stdout } = await ground.soxplan(apply, await limited(ground, 5))
    expect(stderr).toContain(
      'Not all fits into the queue: data.verify is handed over as room comes up. Until then this command has to stay, or come back.\n',
    )
    expect(stderr).toContain(
      'data.verify: not in the queue yet, because the submit limit of your account is reached\n',
    )
    expect(stdout).toContain('delivered, verified by name, size and modification time')
    expect(exitCode).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
    const kinds = await kindsOf(ground)
    const first = ['run', 'intent data.copy', 'submitted data.copy', 'intent data.verify', 'released']
    expect(kinds.slice(0, 5)).toEqual(first)
    expect(kinds.filter((kind) => /^(submitted|ended)/.test(kind)).sort()).toEqual([
      'ended data.copy',
      'ended data.verify',
      'submitted data.copy',
      'submitted data.verify',
    ])
    expect(kinds.at(-1)).toBe('finished')
    expect(await ground.queue()).toEqual([])
  })

  test('fewer workers than the plan names where no more are ever let in', async () => {
    const ground = await made('few')
    const { exitCode, stderr } = await ground.soxplan(apply, await limited(ground, 2))
    expect(stderr).toContain('data.copy: 2 of 4 workers fit into the queue; they do the same work.\n')
    expect(exitCode).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('--detach is refused, since nobody would hand over the rest; with --partial-submit a resume does', async () => {
    const ground = await made('detach')
    const env = await limited(ground, 5)
    const refused = await ground.soxplan([...apply, '--detach'], env)
    expect(refused.stderr).toContain(
      'Leave out --detach, so that this command stays and hands over the rest as room comes up; or add --partial-submit, and hand over the rest later with `soxplan resume RUN`.\n',
    )
    expect(refused.stderr).toContain('What had been handed over was taken back; nothing of it has run.\n')
    expect(refused.exitCode).toBe(1)
    expect(await ground.queue()).toEqual([])
    const gate = await ground.gate()
    const left = await ground.soxplan([...apply, '--detach', '--partial-submit'], {
      ...gate.env,
      PATH: `${gate.env['PATH']?.split(':')[0]}:${env['PATH']}`,
    })
    expect(left.exitCode).toBe(4)
    const run = (await ground.newestRun()).split('/').at(-1) ?? ''
    expect(left.stderr).toContain(
      `Not handed over yet, for want of room in the queue: data.verify. \`soxplan resume ${run}\` does it once there is some.\n`,
    )
    const status = await ground.soxplan(['status', run])
    expect(status.stdout).toContain(
      '  data.verify: not in the queue yet, because the submit limit of your account is reached\n',
    )
    expect(status.exitCode).toBe(4)
    const resumed = ground.begin(['resume', run, '--yes'], env)
    await ground.lab.until('it follows', () => resumed.output().includes('following it'))
    await gate.open()
    expect(await resumed.ended).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('what was left while nobody followed is handed over by a resume afterwards', async () => {
    const ground = await made('late')
    const env = await limited(ground, 5)
    expect((await ground.soxplan([...apply, '--detach', '--partial-submit'], env)).exitCode).toBe(4)
    await ground.lab.until('the copy is over', async () => (await ground.queue()).length === 0)
    expect((await ground.soxplan([...apply], env)).exitCode).toBe(0)
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a driver killed behind the sbatch of a later window: its job is found by its name, and submitted once', async () => {
    const ground = await made('killed')
    const env = await limited(ground, 5, 2, 'sbatch "$@" >/dev/null; kill -9 $PPID; exit 1')
    await ground.begin(apply, env).ended
    const kinds = await kindsOf(ground)
    expect(kinds.at(-1)).toBe('intent data.verify')
    expect(kinds).not.toContain('submitted data.verify')
    const verify = (await ground.queue()).filter((row) => row.includes('data.verify'))
    expect(verify).toEqual([expect.stringMatching(/^sox-.*-data\.verify PENDING$/)])
    const next = await ground.soxplan(apply, env)
    expect(next.exitCode).toBe(0)
    expect(await ground.queue()).toEqual([])
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a driver killed before the release of a later window: the next one lets the job go', async () => {
    const ground = await made('held')
    const env = await limited(ground, 5)
    const scontrol = await ground.lab.shim('scontrol', {})
    const real = findProgram('scontrol') ?? ''
    await writeFile(
      join(ground.lab.folder, 'shims', 'scontrol'),
      `#!/bin/bash
[[ $1 == release ]] && echo >>'${ground.in('releases')}' && [[ $(wc -l <'${ground.in('releases')}') == 2 ]] && kill -9 $PPID && exit 1
exec ${real} "$@"
`,
    )
    await ground.begin(apply, env).ended
    await scontrol.remove()
    expect((await kindsOf(ground)).at(-1)).toBe('submitted data.verify')
    await ground.lab.until('the copy is over', async () =>
      (await ground.queue()).every((row) => row.includes('data.verify')),
    )
    const next = await ground.soxplan(apply, env)
    expect(next.exitCode).toBe(0)
    expect(await ground.queue()).toEqual([])
    expect(await ground.runs()).toHaveLength(1)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })

  test('a queue that is full of other jobs is waited for', async () => {
    const ground = await made('others')
    const other = await ground.lab.sbatch('--array=0-3', '--hold', '--wrap=exit 0')
    const running = ground.begin(apply, await limited(ground, 4))
    await ground.lab.until('it waits', () =>
      running
        .output()
        .includes('The submit limit of your account is reached by other jobs; waiting for room.\n'),
    )
    await ground.lab.scancel(other)
    expect(await running.ended).toBe(0)
    expect(await compareTrees(ground.in('src'), ground.in('data'))).toEqual([])
  })
})

describe.skipIf(noLab('A submit limit', { accounting: true }))('where Slurm keeps accounts', () => {
  const groundOf = groundsOfLab({ accounting: true })

  test('the preview says that not all fits, and a detached apply is refused before anything is submitted', async () => {
    const ground = groundOf('known')
    await ground.tree('src')
    await ground.plan({ slurm: { cpus: 16, time: '0:30:00' }, transfers: { data: {} } })
    const env = await limited(ground, 5)
    const shown = await ground.soxplan(['plan', 'plan.yaml'], env)
    expect(shown.stdout).toContain(
      'Warning: The 8 workers of all stages together are more than your account may have in the queue at once. Let this command stay until all is handed over, or lower `nodes`.\n',
    )
    expect(shown.exitCode).toBe(0)
    const left = await ground.soxplan([...apply, '--detach'], env)
    expect(left.stderr).toBe(
      `error SX513: The 8 workers of all stages together are more than your account may have in the queue at once
  What fits is handed over first, and the rest as room comes up.
  Leave out --detach, so that this command stays and hands over the rest as room comes up; or add --partial-submit, and hand over the rest later with \`soxplan resume RUN\`.
Nothing was moved.
`,
    )
    expect(left.exitCode).toBe(1)
    expect(await ground.runs()).toEqual([])
  })
})
