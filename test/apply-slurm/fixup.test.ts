import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { attributesOf, command, isRoot } from '../apply/fixup-case.ts'
import { lastLines } from '../apply/case.ts'
import { groundsOfLab, noLab } from './ground.ts'

describe.skipIf(noLab('Fixup on Slurm'))('fixup on Slurm', () => {
  const groundOf = groundsOfLab()

  test('runs between copy and verify with resources of its own, directories last, and what stands after waits for all of it', async () => {
    const ground = groundOf('fixup')
    await ground.tree('src')
    if (isRoot) await command('chown', '-hR', '1234:2345', ground.in('src'))
    await command('chmod', '2751', ground.in('src', 'small'))
    await command('touch', '-d', '@1200000000', ground.in('src', 'small', '1'), ground.in('src'))
    await ground.plan({
      transfers: {
        data: { tool: 'rclone', fixup: {}, slurm: { time: '0:30:00', fixup: { cpus: 1, time: '0:05:00' } } },
        again: { after: ['data'] },
      },
    })
    const sbatch = await ground.lab.shim('sbatch', {})
    const applied = await ground.soxplan(['apply', 'plan.yaml', '--yes'], {
      ...ground.env,
      PATH: sbatch.env['PATH'],
    })
    expect(applied.stdout).toMatch(
      / {2}data\.fixup: \d+ shards, 4 workers, after data\.copy\n {6}--time=00:05:00 --cpus-per-task=1\n/,
    )
    expect(applied).toMatchObject({ exitCode: 0 })
    expect(await attributesOf(ground.in('data'))).toEqual(await attributesOf(ground.in('src')))
    const tickets = await ground.tickets()
    expect(
      (await sbatch.calls()).map((args) => args.filter((arg) => arg.startsWith('--dependency'))),
    ).toEqual([
      [],
      [`--dependency=afterok:${tickets['data.copy']}_0`],
      [`--dependency=afterok:${tickets['data.fixup']}_0`],
      [`--dependency=afterok:${tickets['data.verify']}_0`],
      [`--dependency=afterok:${tickets['data.directories']}_0`],
      [`--dependency=afterok:${tickets['again.copy']}_0`],
    ])
    expect(lastLines((await ground.apply()).stdout, 1)).toEqual(['Nothing is left to do.'])
  })

  test('a name that fails in the fixup stops what stands after, and the last stage ends 1', async () => {
    const ground = groundOf('fixup-fails')
    await ground.tree('src', { a: 'a', b: 'b' })
    await ground.tree('origin', { a: 'a', b: 'longer' })
    await ground.plan({
      transfers: {
        data: { tool: 'rclone', fixup: { from: ground.in('origin'), preserve: ['permissions'] } },
        again: { after: ['data'] },
      },
    })
    const applied = await ground.apply()
    expect(applied.exitCode).toBe(1)
    expect(applied.stdout).toContain(
      '  b: is not the same where the fixup reads attributes, by size, kind or what it leads to, and was left as it is;',
    )
    expect(applied.stdout).toContain('\nagain: ')
    expect(await command('find', ground.folder, '-path', join(ground.in('again'), '*'))).toBe('')
    expect(await ground.queue()).toEqual([])
  })
})
